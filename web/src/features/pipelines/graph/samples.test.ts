import { describe, expect, it } from 'vitest';
import { complete } from './completion';
import type { PipelineDocument } from './model';
import {
  inputOf,
  previewOf,
  previewRequest,
  recordOf,
  type Samples,
  type TestResult,
} from './samples';

const doc: PipelineDocument = {
  name: 'filler',
  nodes: [
    { id: 't', type: 'trigger.function', settings: { functionId: 'f1' } },
    { id: 'c', type: 'condition', settings: {} },
    { id: 's', type: 'set', settings: {} },
    { id: 'd', type: 'function', settings: {} },
  ],
  edges: [
    { from: 't', to: 'c' },
    { from: 'c', port: 'true', to: 's' },
    { from: 's', to: 'd' },
  ],
};
const part = (nodeId: string, input: unknown[], out: Record<string, unknown[]>) => ({
  nodeId,
  type: 'set',
  in: input,
  out,
  errors: [],
  wouldHaveSent: [],
  tookMs: 1,
  pinned: false,
  visited: true,
});
const result = {
  nodes: [part('t', [{ a: 1 }], { out: [{ a: 1 }] }), part('c', [{ a: 1 }], { true: [{ a: 1 }] })],
} as unknown as TestResult;
const nothing: Samples = { result: null, live: null };

describe('samples', () => {
  it('are what the last test showed, else pins, else the live values of the trigger', () => {
    expect(inputOf(doc, 'c', nothing)).toBeUndefined();
    expect(inputOf(doc, 'c', { ...nothing, live: { a: 3 } })).toEqual({ a: 3 });
    expect(inputOf(doc, 's', { result, live: { a: 3 } })).toEqual({ a: 1 });
    const pinned = {
      ...doc,
      nodes: doc.nodes.map((node) =>
        node.id === 'c' ? { ...node, pin: { true: [{ p: 9 }] } } : node,
      ),
    };
    expect(inputOf(pinned, 's', nothing)).toEqual({ p: 9 });
  });

  it('are points by name, or a record as it is', () => {
    const sample = { point: 'speed', value: 7 } as never;
    expect(recordOf({ samples: [sample] })).toEqual({ speed: 7 });
    expect(recordOf({ records: [{ x: 1 }, { x: 2 }] as never })).toEqual({ x: 2 });
    expect(recordOf({ samples: [] })).toBeNull();
  });
});

describe('the preview of an expression', () => {
  it('evaluates it where the node stands, with what is known of the nodes before', () => {
    const request = previewRequest(doc, 's', '{{ $input.a }}', { result, live: null });
    const asked = request?.document as unknown as PipelineDocument;
    expect(asked.nodes.map((node) => node.id)).toEqual(['t', 'c', 'tributary-probe']);
    expect(asked.edges.at(-1)).toEqual({ from: 'c', port: 'true', to: 'tributary-probe' });
    expect(request).toMatchObject({
      until: 'tributary-probe',
      destinations: 'stub',
      reads: 'stub',
      input: [{ a: 1 }],
      pins: { c: { true: [{ a: 1 }] } },
    });
  });

  it('says nothing where no record can come', () => {
    expect(previewRequest(doc, 't', '{{ 1 }}', nothing)).toBeNull();
    expect(
      previewRequest({ ...doc, edges: doc.edges.slice(1) }, 's', '{{ 1 }}', nothing),
    ).toBeNull();
  });

  it('takes value or error from the answer', () => {
    const answer = (probe: object) => ({ nodes: [probe] }) as unknown as TestResult;
    expect(previewOf(answer(part('tributary-probe', [{}], { out: [{ value: 7 }] })))).toEqual({
      reached: true,
      value: 7,
    });
    expect(
      previewOf(answer({ ...part('tributary-probe', [{}], {}), errors: [{ message: 'no' }] })),
    ).toEqual({ reached: true, error: 'no' });
    expect(previewOf(answer(part('tributary-probe', [], { out: [] })))).toEqual({ reached: false });
  });
});

describe('completion', () => {
  const scope = {
    input: { temperature: 21, nested: { deep: 1 }, 'not plain': 1 },
    nodes: [{ id: 'c', name: 'Condition', output: { a: 1 } }],
    script: false,
  };
  const labels = (text: string, script = false) =>
    complete(text, { ...scope, script })?.options.map((one) => one.label);

  it('knows fields of the record, to any depth', () => {
    expect(labels('{{ $input.')).toEqual(['temperature', 'nested']);
    expect(labels('x {{ 1 + $input.nested.')).toEqual(['deep']);
    expect(complete('{{ $input.te', scope)?.from).toBe('{{ $input.'.length);
  });

  it('knows the nodes before and what they gave, and the helpers', () => {
    expect(labels('{{ $node("')).toEqual(['c']);
    expect(labels('{{ $node("c").')).toEqual(['a']);
    expect(labels('{{ $fn.')).toContain('units');
    expect(labels('{{ $fn.units.')).toEqual(['convert', 'list']);
    expect(labels('{{ $in')).toContain('$input');
  });

  it('keeps quiet outside of braces, but not in scripts', () => {
    expect(labels('plant/$in')).toBeUndefined();
    expect(labels('{{ 1 }} $in')).toBeUndefined();
    expect(labels('return $in', true)).toContain('$input');
    expect(labels('{{ 1 + ')).toBeUndefined();
  });
});
