import { describe, expect, it } from 'vitest';
import { categoryOf, nodeTypes, portsOf } from './catalog';
import { place, placeInText, settingErrors } from './findings';
import { historyReducer, startHistory } from './history';
import { arrange, nodeSize, positionsOf } from './layout';
import {
  addNode,
  connect,
  disconnect,
  documentOf,
  duplicateNodes,
  edgeId,
  inOrder,
  moveNodes,
  type PipelineDocument,
  portOf,
  refusal,
  removeNodes,
  renameNode,
  updateNode,
} from './model';

const doc: PipelineDocument = {
  name: 'filler',
  nodes: [
    { id: 't', type: 'trigger.manual', settings: {} },
    { id: 'c', type: 'condition', settings: { expression: '{{ $input.running }}' } },
    {
      id: 's',
      type: 'set',
      settings: { fields: { x: '{{ $node("c").x + $node[\'c\'].y + $node("cc").z }}' } },
    },
    { id: 'd', type: 'function', settings: {} },
  ],
  edges: [
    { from: 't', to: 'c' },
    { from: 'c', port: 'true', to: 's' },
    { from: 's', to: 'd' },
  ],
};
const edges = (one: PipelineDocument) => one.edges.map((edge) => edgeId(one, edge));

describe('the catalogue', () => {
  it('sorts every type onto a shelf and knows its ports', () => {
    expect(nodeTypes.length).toBeGreaterThan(20);
    for (const type of nodeTypes) {
      expect(categoryOf(type)).toBeTruthy();
      expect(portsOf({ type: type.type }).length).toBeGreaterThan(0);
    }
  });

  it('lets settings decide about ports where the hub does', () => {
    const cases = [{ name: 'hot', expression: '{{ 1 }}' }, { expression: '{{ 2 }}' }];
    expect(portsOf({ type: 'switch', settings: { cases } })).toEqual(['hot', 'case2', 'default']);
    expect(portsOf({ type: 'merge', settings: { onTimeout: 'port' } })).toEqual(['out', 'timeout']);
    expect(portsOf({ type: 'aggregate', settings: { late: 'port' } })).toEqual(['out', 'late']);
    expect(portsOf({ type: 'set', onError: 'errorPort' })).toEqual(['out', 'error']);
  });
});

describe('edges', () => {
  it('are refused where they cannot be, with the reason', () => {
    expect(refusal(doc, 's', 'out', 's')).toBe('self');
    expect(refusal(doc, 's', 'out', 't')).toBe('intoTrigger');
    expect(refusal(doc, 'd', 'out', 'c')).toBe('circle');
    expect(refusal(doc, 't', 'out', 'c')).toBe('duplicate');
    expect(refusal(doc, 't', 'nowhere', 'd')).toBe('unknown');
    expect(connect(doc, 'd', 'out', 'c')).toBe(doc);
  });

  it('name their port only where a node has several', () => {
    const more = connect(connect(doc, 'c', 'false', 'd'), 't', 'out', 'd');
    expect(more.edges.slice(-2)).toEqual([
      { from: 'c', port: 'false', to: 'd' },
      { from: 't', to: 'd' },
    ]);
    expect(portOf(doc, { from: 't', to: 'c' })).toBe('out');
  });

  it('can be taken away', () => {
    expect(edges(disconnect(doc, ['c:true>s']))).toEqual(['t:out>c', 's:out>d']);
    expect(disconnect(doc, ['nothing'])).toBe(doc);
  });
});

describe('nodes', () => {
  it('take the place in the edge behind a node', () => {
    const { doc: next, id } = addNode(doc, 'filter', { after: { id: 'c', port: 'true' } });
    expect(id).toBe('filter');
    expect(edges(next)).toContain('c:true>filter');
    expect(edges(next)).toContain('filter:out>s');
    expect(edges(next)).not.toContain('c:true>s');
  });

  it('get an id that is free', () => {
    const one = addNode(doc, 'set');
    expect(addNode(one.doc, 'set').id).toBe('set2');
    expect(addNode(doc, 'trigger.schedule').id).toBe('schedule');
  });

  it('leave the line whole when they go', () => {
    const next = removeNodes(doc, ['s']);
    expect(edges(next)).toEqual(['t:out>c', 'c:true>d']);
    expect(next.nodes.map((node) => node.id)).toEqual(['t', 'c', 'd']);
    expect(removeNodes(doc, ['s', 'd']).edges).toEqual([{ from: 't', to: 'c' }]);
  });

  it('are renamed everywhere, expressions included, and only as whole ids', () => {
    const next = renameNode(doc, 'c', 'running');
    expect(edges(next)).toContain('running:true>s');
    expect(next.nodes[2]?.settings?.fields).toEqual({
      x: '{{ $node("running").x + $node[\'running\'].y + $node("cc").z }}',
    });
    expect(renameNode(doc, 'c', 's')).toBe(doc);
    expect(renameNode(doc, 'c', 'not allowed')).toBe(doc);
  });

  it('lose the edges of ports that are gone, and keep those of a port that is renamed', () => {
    const start = updateNode(
      { ...doc, nodes: [...doc.nodes, { id: 'w', type: 'switch', settings: {} }] },
      'w',
      { settings: { cases: [{ name: 'hot', expression: '{{ 1 }}' }] } },
    );
    const joined = connect(start, 'w', 'hot', 'd');
    const renamed = updateNode(joined, 'w', {
      settings: { cases: [{ name: 'hotter', expression: '{{ 1 }}' }] },
    });
    expect(renamed.edges.at(-1)).toEqual({ from: 'w', port: 'hotter', to: 'd' });
    const gone = updateNode(joined, 'w', { settings: { cases: [] } });
    expect(gone.edges).toHaveLength(3);
    const withErrors = updateNode(doc, 't', { onError: 'errorPort' });
    expect(withErrors.edges[0]).toEqual({ from: 't', port: 'out', to: 'c' });
    expect(updateNode(withErrors, 't', { onError: undefined }).edges[0]).toEqual({
      from: 't',
      to: 'c',
    });
  });

  it('are copied with the edges among them', () => {
    const { doc: next, ids } = duplicateNodes(doc, ['c', 's']);
    expect(ids).toEqual(['condition', 'set']);
    expect(edges(next)).toContain('condition:true>set');
    expect(next.edges).toHaveLength(4);
  });

  it('are listed in the order in which records pass', () => {
    const mixed = { ...doc, nodes: doc.nodes.toReversed() };
    expect(inOrder(mixed)).toEqual(['t', 'c', 's', 'd']);
    const circle = { ...doc, edges: [...doc.edges, { from: 'd', to: 'c' }] };
    expect(inOrder(circle).toSorted()).toEqual(['c', 'd', 's', 't']);
  });
});

describe('undo', () => {
  it('goes back and forth over every change, and forgets what was undone at a new one', () => {
    let history = startHistory(doc);
    const one = removeNodes(doc, ['s']);
    const two = removeNodes(one, ['c']);
    history = historyReducer(history, { type: 'change', doc: one, at: 0 });
    history = historyReducer(history, { type: 'change', doc: two, at: 1 });
    history = historyReducer(history, { type: 'undo' });
    expect(history.present).toBe(one);
    history = historyReducer(history, { type: 'undo' });
    expect(history.present).toBe(doc);
    expect(historyReducer(history, { type: 'undo' })).toBe(history);
    history = historyReducer(history, { type: 'redo' });
    expect(history.present).toBe(one);
    history = historyReducer(history, { type: 'change', doc, at: 5 });
    expect(history.future).toEqual([]);
  });

  it('takes what is typed into one field as one step', () => {
    const typed = (text: string) => updateNode(doc, 's', { title: text });
    let history = startHistory(doc);
    const change = (text: string, at: number) => {
      const action = { type: 'change', doc: typed(text), key: 's/title', at } as const;
      history = historyReducer(history, action);
    };
    change('a', 100);
    change('ab', 400);
    change('abc', 9000);
    expect(history.past).toHaveLength(2);
    history = historyReducer(history, { type: 'undo' });
    expect(history.present.nodes[2]?.title).toBe('ab');
  });
});

describe('layout', () => {
  it('puts records on a way from left to right, without overlaps', () => {
    const places = arrange(doc);
    const x = (id: string) => places.get(id)?.x ?? Number.NaN;
    expect(x('t')).toBeLessThan(x('c'));
    expect(x('c') + nodeSize.width).toBeLessThan(x('s'));
  });

  it('has what leaves by the upper port above', () => {
    const two = connect(addNode(doc, 'filter').doc, 'c', 'false', 'filter');
    const turned = {
      ...two,
      nodes: two.nodes.toReversed(),
      edges: two.edges.toReversed(),
    };
    for (const one of [two, turned]) {
      const places = arrange(one);
      expect(places.get('s')?.y ?? 0).toBeLessThan(places.get('filter')?.y ?? 0);
    }
  });

  it('keeps what has a place, and finds room for what has none', () => {
    const moved = moveNodes(
      doc,
      new Map([
        ['t', { x: 0, y: 0.4 }],
        ['c', { x: 290, y: 0 }],
        ['s', { x: 620, y: 0 }],
      ]),
    );
    expect(moved.nodes[0]?.position).toEqual({ x: 0, y: 0 });
    const more = connect(addNode(moved, 'filter').doc, 'c', 'false', 'filter');
    const places = positionsOf(more);
    expect(places.get('s')).toEqual({ x: 620, y: 0 });
    expect(places.get('filter')).toEqual({ x: 620, y: 100 });
  });
});

describe('findings', () => {
  const found = [
    { pointer: '/nodes/1/settings/expression', message: 'line 1, column 12: missing' },
    { pointer: '/edges/1/port', message: 'no such port' },
    { pointer: '/name', message: 'needed' },
  ];

  it('lie at their node and field', () => {
    const placed = place(doc, found, 'problem');
    expect(placed.map(({ nodeId, below }) => [nodeId, below])).toEqual([
      ['c', '/settings/expression'],
      ['c', '/port'],
      [undefined, '/name'],
    ]);
    expect([...settingErrors(placed, 'c')]).toEqual([
      ['/expression', 'line 1, column 12: missing'],
    ]);
  });

  it('tell where in a text they are', () => {
    expect(placeInText('line 3, column 7: unexpected')).toEqual({ line: 3, column: 7 });
    expect(placeInText('line 2 of the code')).toEqual({ line: 2, column: 1 });
    expect(placeInText('wrong')).toBeNull();
  });
});

it('takes the document out of an answer of the API, and nothing else', () => {
  const taken = documentOf({ ...doc, id: 'p1', version: 3, enabled: true, state: {}, draft: null });
  expect(taken).toEqual(doc);
});
