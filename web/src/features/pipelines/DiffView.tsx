import { useTranslation } from 'react-i18next';
import type { Schemas } from '@/shared/api';
import { ui } from '@/shared/ui';
import type { GraphEdge, GraphNode } from './graph/model';
import classes from './pipelines.module.css';

type Diff = Schemas['PipelineDiff'];
type Change = Schemas['PipelineChange'];

function Value({ value }: { value: unknown }) {
  const { t } = useTranslation();
  if (value === undefined) return <em>{t('versions.nothing')}</em>;
  return <code>{typeof value === 'string' ? value : JSON.stringify(value)}</code>;
}

function Changes({ changes }: { changes: Change[] }) {
  return (
    <ul className={classes.changes}>
      {changes.map(({ pointer, from, to }) => (
        <li key={pointer}>
          <span className={ui.mono}>{pointer}</span>
          <del>
            <Value value={from} />
          </del>
          <ins>
            <Value value={to} />
          </ins>
        </li>
      ))}
    </ul>
  );
}

/** What is different between two versions, in the terms of the graph; moves on the canvas are only counted. */
export function DiffView({ diff }: { diff: Diff }) {
  const { t } = useTranslation();
  if (diff.same) return <p>{t('versions.same')}</p>;
  const moved = diff.nodes.changed.filter(({ changes }) => changes.some((one) => one.layout));
  const changed = diff.nodes.changed
    .map(({ id, changes }) => ({ id, changes: changes.filter((one) => !one.layout) }))
    .filter(({ changes }) => changes.length > 0);
  const edgeText = ({ from, port, to }: GraphEdge): string =>
    port ? t('versions.edgePort', { from, port, to }) : t('versions.edge', { from, to });
  const list = (nodes: unknown[], edges: unknown[]) => [
    ...(nodes as GraphNode[]).map((node) => `${node.id} (${node.type})`),
    ...(edges as GraphEdge[]).map((edge) => edgeText(edge)),
  ];
  const added = list(diff.nodes.added, diff.edges.added);
  const removed = list(diff.nodes.removed, diff.edges.removed);
  const part = (title: string, lines: string[]) =>
    lines.length > 0 && (
      <>
        <h3 className={classes.diffTitle}>{title}</h3>
        <ul className={classes.changes}>
          {lines.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      </>
    );
  return (
    <div className={classes.diff}>
      {diff.layoutOnly && <p>{t('versions.layoutOnly')}</p>}
      {part(t('versions.added'), added)}
      {part(t('versions.removed'), removed)}
      {(changed.length > 0 || diff.members.length > 0) && (
        <h3 className={classes.diffTitle}>{t('versions.changed')}</h3>
      )}
      {changed.map(({ id, changes }) => (
        <section key={id} aria-label={id}>
          <strong>{id}</strong>
          <Changes changes={changes} />
        </section>
      ))}
      {diff.members.length > 0 && <Changes changes={diff.members} />}
      {moved.length > 0 && !diff.layoutOnly && (
        <p>{t('versions.moved', { count: moved.length })}</p>
      )}
    </div>
  );
}
