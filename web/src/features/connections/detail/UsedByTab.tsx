import { Button } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { EmptyState, ErrorMessage, Loading, Panel, TableScroll, ui } from '@/shared/ui';
import { type Dependencies, useDependencies } from '../data';
import { useThisConnection } from './ConnectionPage';

interface Use {
  pipeline: Dependencies['nodes'][number];
  edge: Dependencies['edges'][number];
  /** The function it goes through; absent when it uses the connection itself. */
  through: string | null;
}

/** Which pipelines need this connection, by which of its functions. */
export function usesOf(graph: Dependencies, connectionId: string): Use[] {
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  const own = new Set(
    graph.edges
      .filter((edge) => edge.use === 'connection' && edge.to === connectionId)
      .map((edge) => edge.from),
  );
  return graph.edges.flatMap((edge) => {
    const pipeline = byId.get(edge.from);
    if (pipeline?.kind !== 'pipeline') return [];
    if (edge.to !== connectionId && !own.has(edge.to)) return [];
    const through = edge.to === connectionId ? null : (byId.get(edge.to)?.name ?? edge.to);
    return [{ pipeline, edge, through }];
  });
}

/** What would miss this connection. */
export default function UsedByTab() {
  const { t } = useTranslation();
  const { id } = useThisConnection();
  const { data, error, refetch } = useDependencies(id);
  if (error) return <ErrorMessage error={error} onRetry={() => void refetch()} />;
  if (!data) return <Loading />;
  const uses = usesOf(data, id);
  if (uses.length === 0)
    return (
      <Panel>
        <EmptyState
          title={t('usedBy.nothing')}
          text={t('usedBy.nothingText')}
          action={
            <Button component={Link} to="/pipelines/new" variant="default">
              {t('usedBy.newPipeline')}
            </Button>
          }
        />
      </Panel>
    );
  return (
    <Panel title={t('usedBy.title')} flush>
      <TableScroll>
        <table className={ui.table}>
          <thead>
            <tr>
              <th scope="col">{t('usedBy.pipeline')}</th>
              <th scope="col">{t('usedBy.through')}</th>
              <th scope="col">{t('usedBy.how')}</th>
              <th scope="col">{t('usedBy.nodes')}</th>
            </tr>
          </thead>
          <tbody>
            {uses.map(({ pipeline, edge, through }) => (
              <tr key={`${edge.from} ${edge.to} ${edge.use}`}>
                <td>
                  <Link to={`/pipelines/${pipeline.id}`}>{pipeline.name ?? pipeline.id}</Link>
                </td>
                <td>{through ?? t('usedBy.itself')}</td>
                <td>{t(`usedBy.use.${edge.use}`)}</td>
                <td className={ui.mono}>{edge.nodeIds.join(', ')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableScroll>
    </Panel>
  );
}
