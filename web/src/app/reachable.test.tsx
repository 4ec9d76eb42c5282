import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fireEvent, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import { commonSchema, documentSchema } from '@/features/pipelines/editor/common-schema';
import type { JsonSchema } from '@/shared/form';
import { i18n } from '@/shared/i18n';
import { connection, connector, hubFunction } from '@/shared/testing/fake-hub';
import { startApp } from './testing/start-app';

const repository = join(import.meta.dirname, '../../..');

/** The members that a document of the contract may have when it is written. */
function writable(name: string): string[] {
  const text = readFileSync(join(repository, 'contracts/openapi.yaml'), 'utf8');
  const [, own = ''] = new RegExp(`\\n    ${name}:\\n((?: {5,}.*\\n)*)`).exec(text) ?? [];
  const [, properties = ''] = /\n {6}properties:\n((?: {7,}.*\n)*)/.exec(`\n${own}`) ?? [];
  const names = [...properties.matchAll(/^ {8}(\w+):/gm)].map((match) => match[1] ?? '');
  expect(names).toContain('name');
  return names;
}

/** Members without a field, each with its reason. */
const kElsewhere = {
  connection: { type: 'chosen in the gallery; a connection keeps it' },
  function: { type: 'chosen before the form; a function keeps it' },
  pipeline: {
    name: 'the title of the editor',
    labels: 'in the settings of the editor, by the widget for labels',
    enabled: 'said when a draft is deployed, and by the switch of the list',
    nodes: 'the graph',
    edges: 'the graph',
  },
  node: {
    id: 'made by the editor; an expression may name it',
    type: 'chosen in the palette',
    position: 'where it lies on the canvas',
    settings: 'the form of the type of the node',
    pin: 'kept from the output of a node',
  },
} as const;

/** What the form gave, besides what is listed. */
function expectAll(sent: object, names: string[], elsewhere: object) {
  expect(names.filter((name) => !(name in sent) && !(name in elsewhere))).toEqual([]);
  expect(Object.keys(elsewhere).filter((name) => !names.includes(name))).toEqual([]);
}

/** Opens a page on the usual hub, with changes to it. */
async function open(path: string, prepare: (hub: ReturnType<typeof startApp>['hub']) => void) {
  const { hub, openLive } = startApp();
  prepare(hub);
  await openLive(path);
  return hub;
}

const fill = (label: RegExp, value: string) =>
  fireEvent.change(screen.getByLabelText(label), { target: { value } });

describe('every member of a document that can be written has its field', () => {
  it('of a connection', async () => {
    const hub = await open('/connections/c1/settings', (fake) =>
      fake
        .on('PATCH /connections/c1', [200, connection({ version: 4 })])
        .on('GET /connections/c1/versions', [200, { items: [], next: null }]),
    );
    await screen.findByLabelText(/^Host/);
    fill(/^Name( \*)?$/, 'Other');
    fill(/^Description/, 'The filler');
    fill(/^Host/, '192.0.2.11');
    await userEvent.selectOptions(screen.getByLabelText('Environment'), 'Production');
    await userEvent.click(screen.getByLabelText('Start whenever the hub starts'));
    fill(/^Password/, 'geheim');
    fill(/^Longest wait/, '5000');
    fill(/^Probes/, '5');
    fireEvent.click(screen.getByRole('button', { name: 'Save changes' }));
    await waitFor(() => hub.last('PATCH /connections/c1'));
    const { body } = hub.last('PATCH /connections/c1');
    expectAll(body as object, writable('ConnectionCreate'), kElsewhere.connection);
    expect(body).toMatchObject({ reconnect: { maxDelayMs: 5000, keepAlive: { count: 5 } } });
    vi.unstubAllGlobals();
  });

  it.each([
    ['subscribe', /^A value is expected/, { freshness: { expectMs: 750 } }],
    ['write', /^Doing it twice/, { idempotent: true }],
  ] as const)('of a function: %s', async (kind, label, sent) => {
    const [type] = connector.functions;
    const functions = [{ ...type, type: 'modbus.try', kind, idempotent: false }];
    const hub = await open('/connections/c1/functions/new?type=modbus.try', (fake) =>
      fake
        .on('GET /connectors/modbus', [200, { ...connector, functions }])
        .on('POST /connections/c1/functions', [201, hubFunction({ id: 'f2' })]),
    );
    await screen.findByLabelText(/^Address/);
    fill(/^Name( \*)?$/, 'Try');
    fill(/^Description/, 'Once more');
    fill(/^Address/, '7');
    const field = screen.getByLabelText(label);
    if (kind === 'subscribe') fireEvent.change(field, { target: { value: '750' } });
    else await userEvent.click(field);
    await userEvent.click(screen.getByLabelText('Enabled'));
    fireEvent.click(screen.getByRole('button', { name: 'Save' }));
    await waitFor(() => hub.last('POST /connections/c1/functions'));
    const { body } = hub.last('POST /connections/c1/functions');
    expect(body).toMatchObject(sent);
    const other = kind === 'subscribe' ? { idempotent: '' } : { freshness: '' };
    const names = writable('FunctionCreate').filter((name) => !(name in other));
    expectAll({ ...(body as object), type: '' }, names, kElsewhere.function);
    vi.unstubAllGlobals();
  });

  it('of a pipeline', () => {
    const schema = documentSchema(i18n.t);
    expectAll(schema.properties ?? {}, writable('PipelineCreate'), kElsewhere.pipeline);
  });
});

/** The schema that the hub holds the nodes of a pipeline to. */
function nodeSchema(): JsonSchema {
  const file = readFileSync(join(repository, 'src/orchestrate/model/body_schema.cpp'), 'utf8');
  const [, text = ''] = /kBodySchema = R"\((.*?)\)"/s.exec(file) ?? [];
  const schema: JsonSchema = JSON.parse(text.replace('OVERLAP', '{}'));
  return schema.properties?.nodes?.items ?? {};
}

/** Members of `schema`, deep, that `form` has no field for. */
function missing(schema: JsonSchema, form: JsonSchema | undefined, path = ''): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const field = form?.properties?.[name];
    if (!field) return [`${path}${name}`];
    return missing(property, field, `${path}${name}.`);
  });
}

describe('the panel of a node', () => {
  it('has a field for every member that the hub takes, within the same bounds', () => {
    const form = commonSchema('function', i18n.t);
    const names = Object.keys(kElsewhere.node);
    expect(missing(nodeSchema(), form).filter((name) => !names.includes(name))).toEqual([]);
    const { retry } = nodeSchema().properties ?? {};
    for (const [name, { minimum, maximum }] of Object.entries(retry?.properties ?? {}))
      expect(form.properties?.retry?.properties?.[name]).toMatchObject({ minimum, maximum });
  });
});
