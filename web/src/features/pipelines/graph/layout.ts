import { Graph, layout } from '@dagrejs/dagre';
import { portsOf } from './catalog';
import { nodeOf, type PipelineDocument, type Position, portOf } from './model';

export const nodeSize = { width: 200, height: 64 };
const kGapX = 130;
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
  const places = new Map(
    doc.nodes.map(({ id }): [string, Position] => {
      const { x, y } = graph.node(id) as Position;
      return [id, { x: x - nodeSize.width / 2, y: y - nodeSize.height / 2 }];
    }),
  );
  const lowest = Math.max(...[...places.values()].map(({ y }) => y));
  const mirrored = new Map([...places].map(([id, { x, y }]) => [id, { x, y: lowest - y }]));
  return crossings(doc, mirrored) < crossings(doc, places) ? mirrored : places;
}

/** Pairs of edges that leave one node and cross because their ports, from the top down, are in another order. */
function crossings(doc: PipelineDocument, places: ReadonlyMap<string, Position>): number {
  let count = 0;
  for (const { id } of doc.nodes) {
    const node = nodeOf(doc, id);
    const leaving = doc.edges
      .filter((edge) => edge.from === id)
      .map((edge) => ({
        port: node ? portsOf(node).indexOf(portOf(doc, edge)) : 0,
        y: places.get(edge.to)?.y ?? 0,
      }));
    for (const a of leaving) for (const b of leaving) if (a.port < b.port && a.y > b.y) count += 1;
  }
  return count;
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
