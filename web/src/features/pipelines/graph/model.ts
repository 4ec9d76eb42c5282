// The one model of a pipeline's graph. Canvas and outline show it and change it through these functions; nothing here knows of
// either. Every function gives a new document and leaves the old one as it was, which is what makes undo simple.
import type { JsonObject } from '@/shared/form';
import { nodeType, portsOf } from './catalog';

export interface Position {
  x: number;
  y: number;
}

export interface GraphNode {
  id: string;
  type: string;
  title?: string;
  notes?: string;
  settings?: JsonObject;
  position?: Position;
  /** What the node gives in tests: records, or records by port. */
  pin?: unknown;
  onError?: string;
  [member: string]: unknown;
}

export interface GraphEdge {
  from: string;
  port?: string;
  to: string;
}

export interface PipelineDocument {
  name: string;
  nodes: GraphNode[];
  edges: GraphEdge[];
  [member: string]: unknown;
}

export type Refusal = 'self' | 'intoTrigger' | 'circle' | 'duplicate' | 'unknown';

export const emptyDocument = (): PipelineDocument => ({ name: '', nodes: [], edges: [] });

export const nodeOf = (doc: PipelineDocument, id: string): GraphNode | undefined =>
  doc.nodes.find((node) => node.id === id);

export const isTrigger = (node: GraphNode): boolean =>
  nodeType(node.type)?.trigger ?? node.type.startsWith('trigger.');

/** The port an edge leaves by; an edge may leave out the first one. */
export function portOf(doc: PipelineDocument, edge: GraphEdge): string {
  const from = nodeOf(doc, edge.from);
  return edge.port ?? (from ? (portsOf(from)[0] ?? 'out') : 'out');
}

export const edgeId = (doc: PipelineDocument, edge: GraphEdge): string =>
  `${edge.from}:${portOf(doc, edge)}>${edge.to}`;

export const nameOf = (node: GraphNode): string =>
  node.title || nodeType(node.type)?.schema.title || node.type;

/** An id that no node has: the type's last word, with a number where it is taken. */
export function freeId(doc: PipelineDocument, type: string): string {
  const stem = type.replace(/^trigger\./, '').replaceAll(/[^A-Za-z0-9_-]/g, '-');
  const taken = new Set(doc.nodes.map((node) => node.id));
  if (!taken.has(stem)) return stem;
  for (let n = 2; ; n += 1) if (!taken.has(`${stem}${n}`)) return `${stem}${n}`;
}

/** Everything that `id` leads to, itself included. */
export function descendants(doc: PipelineDocument, id: string): Set<string> {
  const found = new Set([id]);
  for (const one of found) for (const { from, to } of doc.edges) if (from === one) found.add(to);
  return found;
}

/** Everything that leads to `id`, itself included. */
export function ancestors(doc: PipelineDocument, id: string): Set<string> {
  const found = new Set([id]);
  for (const one of found) for (const { from, to } of doc.edges) if (to === one) found.add(from);
  return found;
}

/** Why an edge cannot be, or null. */
export function refusal(
  doc: PipelineDocument,
  from: string,
  port: string,
  to: string,
): Refusal | null {
  const source = nodeOf(doc, from);
  const target = nodeOf(doc, to);
  if (!source || !target || !portsOf(source).includes(port)) return 'unknown';
  if (from === to) return 'self';
  if (isTrigger(target)) return 'intoTrigger';
  if (doc.edges.some((one) => one.from === from && one.to === to && portOf(doc, one) === port))
    return 'duplicate';
  if (descendants(doc, to).has(from)) return 'circle';
  return null;
}

const edge = (doc: PipelineDocument, from: string, port: string, to: string): GraphEdge => {
  const source = nodeOf(doc, from);
  return source && portsOf(source).length === 1 ? { from, to } : { from, port, to };
};

/** With the edge; the document as it was where the edge cannot be (see `refusal`). */
export function connect(
  doc: PipelineDocument,
  from: string,
  port: string,
  to: string,
): PipelineDocument {
  if (refusal(doc, from, port, to)) return doc;
  return { ...doc, edges: [...doc.edges, edge(doc, from, port, to)] };
}

export function disconnect(doc: PipelineDocument, ids: Iterable<string>): PipelineDocument {
  const gone = new Set(ids);
  const edges = doc.edges.filter((one) => !gone.has(edgeId(doc, one)));
  return edges.length === doc.edges.length ? doc : { ...doc, edges };
}

export interface Place {
  /** Behind this node, by this port (the first when it is not given). */
  after?: { id: string; port?: string };
  position?: Position;
}

/** With a new node. Behind a node it takes the place in the port's only edge: a → b becomes a → new → b. */
export function addNode(
  doc: PipelineDocument,
  type: string,
  place: Place = {},
): { doc: PipelineDocument; id: string } {
  const id = freeId(doc, type);
  const node: GraphNode = {
    id,
    type,
    settings: {},
    ...(place.position ? { position: place.position } : {}),
  };
  let next: PipelineDocument = { ...doc, nodes: [...doc.nodes, node] };
  const before = place.after && nodeOf(doc, place.after.id);
  if (before && !isTrigger(node)) {
    const port = place.after?.port ?? portsOf(before)[0] ?? 'out';
    const leaving = doc.edges.filter((one) => one.from === before.id && portOf(doc, one) === port);
    const [only] = leaving;
    const first = portsOf(node)[0] ?? 'out';
    if (only && leaving.length === 1) {
      next = connect(disconnect(next, [edgeId(doc, only)]), before.id, port, id);
      next = connect(next, id, first, only.to);
    } else {
      next = connect(next, before.id, port, id);
    }
  }
  return { doc: next, id };
}

/** Without the nodes. What led into one that is taken out of a line leads to what it led to: a → b → c becomes a → c. */
export function removeNodes(doc: PipelineDocument, ids: Iterable<string>): PipelineDocument {
  let next = doc;
  for (const id of ids) {
    if (!nodeOf(next, id)) continue;
    const into = next.edges.filter((one) => one.to === id);
    const out = next.edges.filter((one) => one.from === id);
    const [a] = into;
    const [b] = out;
    const heal = into.length === 1 && out.length === 1 && a && b;
    const port = heal ? portOf(next, a) : '';
    next = {
      ...next,
      nodes: next.nodes.filter((node) => node.id !== id),
      edges: next.edges.filter((one) => one.from !== id && one.to !== id),
    };
    if (heal) next = connect(next, a.from, port, b.to);
  }
  return next;
}

/** With members of a node set; undefined takes one away. Edges by ports that are gone then are taken away, too. */
export function updateNode(
  doc: PipelineDocument,
  id: string,
  patch: Partial<GraphNode>,
): PipelineDocument {
  const old = nodeOf(doc, id);
  if (!old) return doc;
  const node: GraphNode = { ...old, ...patch, id, type: old.type };
  for (const [member, value] of Object.entries(node)) {
    if (value === undefined) delete node[member];
  }
  const before = portsOf(old);
  const after = portsOf(node);
  const nodes = doc.nodes.map((one) => (one.id === id ? node : one));
  if (before.join() === after.join()) return { ...doc, nodes };
  const edges = doc.edges.flatMap((one) => {
    if (one.from !== id) return [one];
    const port = portOf(doc, one);
    // A port that was renamed at its place keeps its edges: switch cases are renamed letter by letter.
    const now = after.includes(port)
      ? port
      : before.length === after.length
        ? after[before.indexOf(port)]
        : undefined;
    if (now === undefined) return [];
    const { port: _, ...rest } = one;
    return [after.length === 1 ? rest : { ...rest, port: now }];
  });
  return { ...doc, nodes, edges };
}

function replaceDeep(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((one) => replaceDeep(one, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, replaceDeep(member, change)]),
  );
}

/** With another id for a node: its edges and every `$node("id")` follow. As it was where the id is taken or not allowed. */
export function renameNode(doc: PipelineDocument, id: string, to: string): PipelineDocument {
  if (id === to || !/^[A-Za-z0-9_-]{1,64}$/.test(to) || nodeOf(doc, to)) return doc;
  const mention = new RegExp(`(\\$node\\s*[[(]\\s*(["']))${id}(\\2\\s*[\\])])`, 'g');
  const change = (text: string) => text.replace(mention, (_, a, _quote, b) => `${a}${to}${b}`);
  return {
    ...doc,
    nodes: doc.nodes.map((node) => ({
      ...node,
      id: node.id === id ? to : node.id,
      ...(node.settings ? { settings: replaceDeep(node.settings, change) as JsonObject } : {}),
    })),
    edges: doc.edges.map((one) => ({
      ...one,
      from: one.from === id ? to : one.from,
      to: one.to === id ? to : one.to,
    })),
  };
}

/** With copies of the nodes and of the edges among them, a little aside; gives the ids of the copies, too. */
export function duplicateNodes(
  doc: PipelineDocument,
  ids: Iterable<string>,
): { doc: PipelineDocument; ids: string[] } {
  const copies = new Map<string, string>();
  let next = doc;
  for (const id of ids) {
    const node = nodeOf(doc, id);
    if (!node) continue;
    const copy = freeId(next, node.type);
    copies.set(id, copy);
    const { position, ...rest } = structuredClone(node);
    const moved = position && { position: { x: position.x + 40, y: position.y + 40 } };
    next = { ...next, nodes: [...next.nodes, { ...rest, ...moved, id: copy }] };
  }
  const edges = doc.edges.flatMap((one) => {
    const from = copies.get(one.from);
    const to = copies.get(one.to);
    return from && to ? [{ ...one, from, to }] : [];
  });
  return { doc: { ...next, edges: [...next.edges, ...edges] }, ids: [...copies.values()] };
}

export function moveNodes(
  doc: PipelineDocument,
  positions: ReadonlyMap<string, Position>,
): PipelineDocument {
  return {
    ...doc,
    nodes: doc.nodes.map((node) => {
      const position = positions.get(node.id);
      return position
        ? { ...node, position: { x: Math.round(position.x), y: Math.round(position.y) } }
        : node;
    }),
  };
}

/** With members of the document set; undefined takes one away. */
export function updateDocument(doc: PipelineDocument, patch: Partial<PipelineDocument>) {
  const next: PipelineDocument = { ...doc, ...patch };
  for (const [member, value] of Object.entries(next)) {
    if (value === undefined) delete next[member];
  }
  return next;
}

/** Ids in the order in which records pass: every node behind all that lead to it, in the order of the document otherwise. */
export function inOrder(doc: PipelineDocument): string[] {
  const open = new Map(doc.nodes.map((node) => [node.id, 0]));
  for (const { from, to } of doc.edges) {
    if (open.has(from) && open.has(to)) open.set(to, (open.get(to) ?? 0) + 1);
  }
  const order: string[] = [];
  while (open.size > 0) {
    // A circle has no first node; take what comes first in the document, so that everything is listed.
    const next = [...open].find(([, count]) => count === 0) ?? [...open][0];
    if (!next) break;
    const [id] = next;
    open.delete(id);
    order.push(id);
    for (const { from, to } of doc.edges) {
      const count = open.get(to);
      if (from === id && count !== undefined) open.set(to, count - 1);
    }
  }
  return order;
}

const members = [
  'name',
  'description',
  'labels',
  'history',
  'priority',
  'keepRuns',
  'keepRunsFor',
  'overlap',
] as const;

/** What of an answer of the API is the document: no counters, no ids of versions, not whether it is enabled. */
export function documentOf(answer: object): PipelineDocument {
  const given = answer as Record<string, unknown>;
  const doc: PipelineDocument = {
    name: String(given.name ?? ''),
    nodes: (given.nodes as GraphNode[] | undefined) ?? [],
    edges: (given.edges as GraphEdge[] | undefined) ?? [],
  };
  for (const member of members) {
    if (given[member] !== undefined) Object.assign(doc, { [member]: given[member] });
  }
  return doc;
}
