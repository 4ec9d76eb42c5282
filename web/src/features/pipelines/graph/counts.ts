import type { TFunction } from 'i18next';
import type { Schemas } from '@/shared/api';
import { formatCount, formatSpan } from '@/shared/format';
import type { Tone } from '@/shared/ui';
import { edgeId, type PipelineDocument } from './model';
import type { NodeDetail } from './rates';
import type { NodeNote } from './view';

type Counts = Pick<NodeDetail, 'nodeId' | 'recordsIn' | 'recordsOut' | 'errors' | 'held'> & {
  durationMs?: number;
  delivery?: Schemas['DeliveryState'];
};

/** What nodes did, as the graph's views show it. */
export function notesOf(nodes: Counts[], t: TFunction): Map<string, NodeNote> {
  return new Map(
    nodes.map((node) => {
      const lines = [
        t('graph.counts', {
          in: formatCount(node.recordsIn),
          out: formatCount(node.recordsOut),
        }),
      ];
      if (node.errors > 0) lines.push(t('graph.errors', { count: node.errors }));
      if (node.held) lines.push(t('graph.held', { count: node.held }));
      const waiting = node.delivery?.waiting ?? 0;
      if (waiting > 0) lines.push(t('graph.waiting', { count: waiting }));
      if (node.durationMs !== undefined && node.recordsIn > 0)
        lines.push(t('graph.took', { span: formatSpan(node.durationMs, t) }));
      const tone: Tone = node.errors > 0 ? 'bad' : waiting > 0 ? 'warn' : 'neutral';
      return [node.nodeId, { tone, lines }];
    }),
  );
}

/**
 * Which node's counter tells of an edge: the input of a node that only this edge leads to, or the output of one that only
 * this edge leaves. Of other edges the hub counts nothing, and nothing is shown.
 */
export function counterOf(
  doc: PipelineDocument,
  edge: PipelineDocument['edges'][number],
): { nodeId: string; side: 'in' | 'out' } | null {
  if (doc.edges.filter((one) => one.to === edge.to).length === 1)
    return { nodeId: edge.to, side: 'in' };
  if (doc.edges.filter((one) => one.from === edge.from).length === 1)
    return { nodeId: edge.from, side: 'out' };
  return null;
}

/** Counts, with a rate where there is one, for the edges of which something is known. */
export function flowsOf(
  doc: PipelineDocument,
  nodes: Counts[],
  rate: (nodeId: string) => string | null,
): Map<string, string> {
  const byId = new Map(nodes.map((node) => [node.nodeId, node]));
  const flows = new Map<string, string>();
  for (const edge of doc.edges) {
    const counter = counterOf(doc, edge);
    const node = counter && byId.get(counter.nodeId);
    if (!node) continue;
    const count = counter.side === 'in' ? node.recordsIn : node.recordsOut;
    const perSecond = rate(counter.nodeId);
    flows.set(edgeId(doc, edge), [formatCount(count), perSecond].filter(Boolean).join(' · '));
  }
  return flows;
}
