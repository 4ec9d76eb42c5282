import type { Schemas } from '@/shared/api';

/** A node of a peer's address space, with the way to it. */
export interface BrowsedNode {
  id: string;
  name: string;
  hasChildren: boolean;
  details: Record<string, unknown>;
  /** Names from the root down to this node. */
  path: string[];
}

/** What is known of the children of one node. */
export interface Branch {
  nodes: BrowsedNode[];
  /** There are more; where to go on. */
  next: string | null;
  pending: boolean;
  error: unknown;
}

/** Branches by the key of their node; the root's is `kRoot`. */
export type Branches = ReadonlyMap<string, Branch>;

export type Row =
  | {
      kind: 'node';
      key: string;
      parent: string;
      node: BrowsedNode;
      level: number;
      position: number;
      expanded: boolean;
    }
  | { kind: 'more' | 'pending' | 'failed' | 'empty'; key: string; parent: string; level: number };

export const kRoot = '';
export const kPage = 200;
// A walk over everything is bounded: what is not found by then is narrowed down by hand.
export const kMaxWalked = 5000;

/** A node may hang in two places; its place tells them apart. */
export const keyOf = (parent: string, node: BrowsedNode): string => `${parent}/${node.id}`;

const kNoBranch: Branch = { nodes: [], next: null, pending: false, error: null };

export function begun(branches: Branches, key: string): Branches {
  const old = branches.get(key) ?? kNoBranch;
  return new Map(branches).set(key, { ...old, pending: true, error: null });
}

export function arrived(
  branches: Branches,
  key: string,
  path: string[],
  page: Schemas['BrowseNodeList'],
): Branches {
  const old = branches.get(key) ?? kNoBranch;
  const known = new Set(old.nodes.map((node) => node.id));
  const added = page.items
    .filter((node) => !known.has(node.id))
    .map((node) => ({ ...node, details: node.details ?? {}, path: [...path, node.name] }));
  return new Map(branches).set(key, {
    nodes: [...old.nodes, ...added],
    next: page.next,
    pending: false,
    error: null,
  });
}

export function failed(branches: Branches, key: string, error: unknown): Branches {
  const old = branches.get(key) ?? kNoBranch;
  return new Map(branches).set(key, { ...old, pending: false, error });
}

/** The tree as lines from top to bottom: what is expanded, and what is said in place of children. */
export function rowsOf(branches: Branches, expanded: ReadonlySet<string>): Row[] {
  const rows: Row[] = [];
  const add = (parent: string, level: number) => {
    const branch = branches.get(parent);
    if (!branch) return;
    branch.nodes.forEach((node, index) => {
      const key = keyOf(parent, node);
      const open = expanded.has(key);
      rows.push({ kind: 'node', key, parent, node, level, position: index + 1, expanded: open });
      if (open) add(key, level + 1);
    });
    const say = (kind: 'more' | 'pending' | 'failed' | 'empty') =>
      rows.push({ kind, key: `${parent} ${kind}`, parent, level });
    if (branch.pending) say('pending');
    else if (branch.error !== null) say('failed');
    else if (branch.next !== null) say('more');
    else if (branch.nodes.length === 0) say('empty');
  };
  add(kRoot, 1);
  return rows;
}

/** Every node that is loaded, each once, wherever it hangs. */
export function loadedNodes(branches: Branches): BrowsedNode[] {
  const once = new Map<string, BrowsedNode>();
  for (const branch of branches.values()) {
    for (const node of branch.nodes) if (!once.has(node.id)) once.set(node.id, node);
  }
  return [...once.values()];
}

/** Loaded nodes whose name, id, type or path has all words. */
export function found(branches: Branches, search: string): BrowsedNode[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  return loadedNodes(branches).filter((node) => {
    const text = [node.id, ...node.path, String(node.details.dataType ?? '')]
      .join(' ')
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** Nodes whose value may be looked at. */
export const isReadable = (node: BrowsedNode): boolean =>
  hasValue(node) && node.details.access !== 'write' && node.details.access !== 'none';

/** Nodes that carry a value: those whose data type the peer tells. */
export const hasValue = (node: BrowsedNode): boolean => typeof node.details.dataType === 'string';
