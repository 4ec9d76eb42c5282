import { Graph, layout } from '@dagrejs/dagre';
import type { PipelineDocument, Position } from './model';

export const nodeSize = { width: 200, height: 64 };
const kGapX = 90;
const kGapY = 36;

/** A place for every node, from left to right as records pass. */
export function arrange(doc: PipelineDocument): Map<string, Position> {
  const graph = new Graph();
  graph.setGraph({ rankdir: 'LR', ranksep: kGapX, nodesep: kGapY });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id } of doc.nodes) graph.setNode(id, { ...nodeSize });
  const ids = new Set(doc.nodes.map((node) => node.id));
  for (const { from, to } of doc.edges) if (ids.has(from) && ids.has(to)) graph.setEdge(from, to);
  layout(graph);
  return new Map(
    doc.nodes.map(({ id }) => {
      const { x, y } = graph.node(id) as Position;
      return [id, { x: x - nodeSize.width / 2, y: y - nodeSize.height / 2 }];
    }),
  );
}

const overlaps = (a: Position, b: Position): boolean =>
  Math.abs(a.x - b.x) < nodeSize.width && Math.abs(a.y - b.y) < nodeSize.height;

/** Where the nodes stand: as the document says; those without a place behind what leads to them, where there is room. */
export function positionsOf(doc: PipelineDocument): Map<string, Position> {
  if (!doc.nodes.some((node) => node.position)) return arrange(doc);
  const placed = new Map<string, Position>();
  for (const { id, position } of doc.nodes) if (position) placed.set(id, position);
  for (const { id, position } of doc.nodes) {
    if (position) continue;
    const before = doc.edges.find(({ from, to }) => to === id && placed.has(from));
    const source = before && placed.get(before.from);
    const spot = source
      ? { x: source.x + nodeSize.width + kGapX, y: source.y }
      : { x: 0, y: Math.max(...[...placed.values()].map(({ y }) => y)) + nodeSize.height + kGapY };
    while ([...placed.values()].some((other) => overlaps(spot, other)))
      spot.y += nodeSize.height + kGapY;
    placed.set(id, spot);
  }
  return placed;
}
