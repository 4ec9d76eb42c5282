import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { Schemas } from '@/shared/api';
import { EmptyState, ErrorMessage, Loading, Panel, TableScroll, ui } from '@/shared/ui';
import { useUses } from './DeleteDialog';
import { useAllFunctions } from './data';
import { useThisPipeline } from './PipelinePage';

type Graph = Schemas['DependencyGraph'];
type Item = Graph['nodes'][number];

function Name({ item }: { item: Item }) {
  const { t } = useTranslation();
  const functions = useAllFunctions();
  const name = item.name ?? item.id;
  if (item.missing)
    return (
      <>
        {name} <span className={ui.label}>{t('used.missing')}</span>
      </>
    );
  if (item.kind === 'pipeline') return <Link to={`/pipelines/${item.id}`}>{name}</Link>;
  if (item.kind === 'connection') return <Link to={`/connections/${item.id}`}>{name}</Link>;
  const connection = functions.data?.find((one) => one.id === item.id)?.connection;
  return <>{connection ? `${connection}/${name}` : name}</>;
}

function Uses({ graph, rows }: { graph: Graph; rows: [Item, Graph['edges'][number]][] }) {
  const { t } = useTranslation();
  const via = (id: string) => graph.nodes.find((node) => node.id === id)?.name ?? id;
  return (
    <TableScroll>
      <table className={ui.table}>
        <thead>
          <tr>
            <th scope="col">{t('common.type')}</th>
            <th scope="col">{t('common.name')}</th>
            <th scope="col">{t('used.how')}</th>
            <th scope="col">{t('used.nodes')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([item, edge]) => (
            <tr key={`${item.id} ${edge.from} ${edge.use}`}>
              <td>{t(`used.kind.${item.kind}`)}</td>
              <td>
                <Name item={item} />
              </td>
              <td>{t(`used.use.${edge.use}`)}</td>
              <td className={ui.mono}>
                {edge.use === 'connection' ? via(edge.from) : edge.nodeIds.join(', ')}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

/** What a pipeline needs, and what starts from it. */
export default function UsedByTab() {
  const { t } = useTranslation();
  const { id } = useThisPipeline();
  const { data: graph, error, refetch } = useUses(id);
  if (error) return <ErrorMessage error={error} onRetry={() => void refetch()} />;
  if (!graph) return <Loading />;
  const item = (key: string) => graph.nodes.find((node) => node.id === key);
  const rows = (pick: (edge: Graph['edges'][number]) => string | null) =>
    graph.edges.flatMap((edge): [Item, Graph['edges'][number]][] => {
      const key = pick(edge);
      const found = key === null ? undefined : item(key);
      return found ? [[found, edge]] : [];
    });
  const users = rows((edge) => (edge.to === id ? edge.from : null));
  const needed = rows((edge) => (edge.to === id ? null : edge.to));
  return (
    <>
      <Panel title={t('used.neededBy')} flush>
        {users.length > 0 ? (
          <Uses graph={graph} rows={users} />
        ) : (
          <EmptyState title={t('used.nothing')} />
        )}
      </Panel>
      <Panel title={t('used.needs')} flush>
        {needed.length > 0 ? (
          <Uses graph={graph} rows={needed} />
        ) : (
          <EmptyState title={t('used.needsNothing')} />
        )}
      </Panel>
    </>
  );
}
