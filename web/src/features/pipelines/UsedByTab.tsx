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

interface Use {
  item: Item;
  use: Graph['edges'][number]['use'];
  /** The nodes that use it; of a connection its functions. */
  where: string[];
}

/** A connection is used through each of its functions: that is one line. */
function usesOf(graph: Graph, rows: [Item, Graph['edges'][number]][]): Use[] {
  const nameOf = (id: string) => graph.nodes.find((node) => node.id === id)?.name ?? id;
  const uses: Use[] = [];
  for (const [item, { use, from, nodeIds }] of rows) {
    const where = use === 'connection' ? [nameOf(from)] : nodeIds;
    const same = uses.find((one) => one.item === item && one.use === use);
    if (same) same.where.push(...where);
    else uses.push({ item, use, where: [...where] });
  }
  return uses;
}

function Uses({ uses }: { uses: Use[] }) {
  const { t } = useTranslation();
  return (
    <TableScroll>
      <table className={ui.table}>
        <thead>
          <tr>
            <th scope="col">{t('common.type')}</th>
            <th scope="col">{t('common.name')}</th>
            <th scope="col">{t('used.how')}</th>
            <th scope="col">{t('used.where')}</th>
          </tr>
        </thead>
        <tbody>
          {uses.map(({ item, use, where }) => (
            <tr key={`${item.id} ${use}`}>
              <td>{t(`used.kind.${item.kind}`)}</td>
              <td>
                <Name item={item} />
              </td>
              <td>{t(`used.use.${use}`)}</td>
              <td className={ui.mono}>{where.join(', ')}</td>
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
          <Uses uses={usesOf(graph, users)} />
        ) : (
          <EmptyState title={t('used.nothing')} />
        )}
      </Panel>
      <Panel title={t('used.needs')} flush>
        {needed.length > 0 ? (
          <Uses uses={usesOf(graph, needed)} />
        ) : (
          <EmptyState title={t('used.needsNothing')} />
        )}
      </Panel>
    </>
  );
}
