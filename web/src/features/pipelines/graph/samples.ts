// What is known of the records at each node: from the last test, from pins, from what a trigger's function last said. Forms
// complete and try out expressions with it.
import type { Schemas } from '@/shared/api';
import { isObject, type JsonObject } from '@/shared/form';
import { ancestors, isTrigger, nodeOf, type PipelineDocument, portOf } from './model';

export type TestResult = Schemas['PipelineTest'];
type TestRequest = Schemas['PipelineTestRequest'];

export interface Samples {
  result: TestResult | null;
  /** A record as the trigger's function gives it now. */
  live: JsonObject | null;
}

type ByPort = Record<string, unknown[]>;

/** A pin by port, however it is written: records alone are those of the first port. */
export function pinByPort(pin: unknown): ByPort | null {
  if (Array.isArray(pin)) return { out: pin };
  if (!isObject(pin)) return null;
  const ports = Object.entries(pin).filter(([, records]) => Array.isArray(records));
  return ports.length > 0 ? (Object.fromEntries(ports) as ByPort) : null;
}

/** What a node gives, by port; null where nothing is known. */
export function outputOf(doc: PipelineDocument, id: string, samples: Samples): ByPort | null {
  const node = nodeOf(doc, id);
  if (!node) return null;
  const pinned = pinByPort(node.pin);
  if (pinned) return pinned;
  const tested = samples.result?.nodes.find((one) => one.nodeId === id);
  if (tested?.visited) return tested.out as ByPort;
  return isTrigger(node) && samples.live ? { out: [samples.live] } : null;
}

/** The record that an expression of the node would see; undefined where none is known. */
export function inputOf(doc: PipelineDocument, id: string, samples: Samples): unknown {
  const tested = samples.result?.nodes.find((one) => one.nodeId === id);
  if (tested && tested.in.length > 0) return tested.in[0];
  for (const edge of doc.edges.filter((one) => one.to === id)) {
    const output = outputOf(doc, edge.from, samples);
    const records = output?.[portOf(doc, edge)] ?? Object.values(output ?? {})[0];
    if (records && records.length > 0) return records[0];
  }
  return undefined;
}

const kProbe = 'tributary-probe';

/**
 * The test that tells what an expression gives: a node that only evaluates it stands in the place of the node, and what is
 * known of the nodes before takes their place, so nothing outside is asked. Null where no record can come.
 */
export function previewRequest(
  doc: PipelineDocument,
  id: string,
  text: string,
  samples: Samples,
): TestRequest | null {
  const into = doc.edges.filter((edge) => edge.to === id);
  if (into.length === 0) return null;
  const before = ancestors(doc, id);
  before.delete(id);
  const nodes = doc.nodes.filter((node) => before.has(node.id));
  if (!nodes.some(isTrigger)) return null;
  const probe = { id: kProbe, type: 'set', settings: { include: 'none', fields: { value: text } } };
  const pins: Record<string, ByPort> = {};
  for (const node of nodes) {
    const output = outputOf(doc, node.id, samples);
    if (!output || isTrigger(node)) continue;
    pins[node.id] = Object.fromEntries(
      Object.entries(output).map(([port, records]) => [port, records.slice(0, 1)]),
    );
  }
  const trigger = nodes.find(isTrigger);
  const given = trigger && outputOf(doc, trigger.id, samples);
  const first = given && Object.values(given)[0]?.[0];
  return {
    document: {
      name: doc.name || kProbe,
      nodes: [...nodes, probe],
      edges: [
        ...doc.edges.filter((edge) => before.has(edge.from) && before.has(edge.to)),
        ...into.map((edge) => ({ ...edge, to: kProbe })),
      ],
    },
    until: kProbe,
    destinations: 'stub',
    reads: 'stub',
    pins,
    ...(isObject(first) ? { input: [first] } : {}),
  };
}

export interface Preview {
  /** No record came to the node, so there is nothing to say. */
  reached: boolean;
  value?: unknown;
  error?: string;
}

export function previewOf(result: TestResult): Preview {
  const probe = result.nodes.find((one) => one.nodeId === kProbe);
  const error = probe?.errors[0]?.message;
  if (error) return { reached: true, error };
  const record = probe?.out.out?.[0];
  if (!isObject(record)) return { reached: false };
  return { reached: true, value: record.value };
}

/** A record of what a subscribe function reported last: its points by name. */
export function recordOf(data: Schemas['FunctionData']): JsonObject | null {
  const record = data.records?.at(-1);
  if (isObject(record)) return record;
  if (!data.samples || data.samples.length === 0) return null;
  return Object.fromEntries(data.samples.map(({ point, value }) => [point, value]));
}
