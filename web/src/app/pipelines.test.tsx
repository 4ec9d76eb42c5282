import { act, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Schemas } from '@/shared/api';
import { FakeHub, hubFunction, page } from '@/shared/testing/fake-hub';
import { fakeLive } from '@/shared/testing/fake-socket';
import { App } from './App';

const counters = (nodeId: string, more: Partial<Schemas['NodeCounters']> = {}) => ({
  nodeId,
  recordsIn: 3,
  recordsOut: 3,
  errors: 0,
  lastError: null,
  ...more,
});

function pipeline(more: Partial<Schemas['Pipeline']> = {}): Schemas['Pipeline'] {
  return {
    id: 'p1',
    version: 4,
    name: 'Filler to broker',
    description: 'Speed in rpm',
    labels: { line: '3' },
    enabled: true,
    nodes: [
      { id: 'manual', type: 'trigger.manual' },
      { id: 'scale', type: 'set', settings: { fields: { rpm: '{{ $input.speed * 2 }}' } } },
    ],
    edges: [{ from: 'manual', to: 'scale' }],
    draft: null,
    createdAt: '2026-11-22T09:00:00Z',
    updatedAt: '2026-11-22T09:00:00Z',
    state: {
      status: 'running',
      recordsIn: 3,
      recordsOut: 3,
      errors: 0,
      dropped: 0,
      lastRunAt: null,
      nodes: [counters('manual'), counters('scale')],
    },
    ...more,
  };
}

const run = (more: Partial<Schemas['Run']> = {}): Schemas['Run'] => ({
  id: 'r1',
  pipelineId: 'p1',
  status: 'completed',
  trigger: 'manual',
  startedAt: '2026-11-22T10:00:00Z',
  endedAt: '2026-11-22T10:00:01Z',
  recordsIn: 1,
  recordsOut: 1,
  errors: 0,
  inputKept: true,
  detail: null,
  ...more,
});

const draft = (more: Partial<Schemas['PipelineDraft']> = {}): Schemas['PipelineDraft'] => ({
  pipelineId: 'p1',
  version: 5,
  baseVersion: 4,
  actor: 'ada',
  updatedAt: '2026-11-22T10:00:00Z',
  document: {},
  problems: [],
  warnings: [],
  ...more,
});

let hub: FakeHub;
let live: ReturnType<typeof fakeLive>;

beforeEach(() => {
  localStorage.setItem('tributary-graph-view', '"outline"');
  live = fakeLive();
  hub = new FakeHub()
    .on('GET /auth/me', [200, { name: 'ada', role: 'admin', via: 'session' }])
    .on('GET /connections', [200, page()])
    .on('GET /functions', [200, page(hubFunction())])
    .on('GET /pipelines', [200, page(pipeline())])
    .on('GET /pipelines/p1', [200, pipeline()])
    .on('GET /pipelines/p1/runs', [200, page(run())])
    .on('POST /pipelines/validate', [200, { valid: true, problems: [], warnings: [] }]);
  return () => {
    vi.unstubAllGlobals();
    localStorage.clear();
  };
});

async function open(path: string) {
  history.replaceState(null, '', path);
  render(<App makeLive={() => live.client} />);
  await waitFor(() => expect(live.sockets.length).toBeGreaterThan(0));
  act(() => live.socket.open());
}

const press = async (name: string | RegExp) =>
  userEvent.click(await screen.findByRole('button', { name }));

describe('the list of pipelines', () => {
  it('shows what each does, follows it live and finds by label', async () => {
    hub.on('GET /pipelines', [
      200,
      page(pipeline(), pipeline({ id: 'p2', name: 'Other', labels: {} })),
    ]);
    await open('/pipelines');
    const row = await screen.findByRole('row', { name: /Filler to broker/ });
    expect(within(row).getByText('Running')).toBeInTheDocument();
    const state = {
      ...pipeline().state,
      status: 'failing' as const,
      errors: 7,
      nodes: [
        counters('scale', {
          lastError: { class: 'Function', code: 'x', message: 'rpm is not a number' },
        }),
      ],
    };
    act(() =>
      live.socket.say({
        id: live.socket.idOf('pipelines'),
        seq: 1,
        type: 'snapshot',
        data: [{ id: 'p1', state }],
      }),
    );
    expect(
      await within(row).findByText('Last error of scale: rpm is not a number'),
    ).toBeInTheDocument();
    await userEvent.type(screen.getByLabelText('Search by name, label or node'), 'line');
    await waitFor(() => expect(screen.queryByText('Other')).toBeNull());
  });

  it('enables and disables, and says what the hub says when it will not', async () => {
    hub.on('POST /pipelines/p1/disable', [
      409,
      { title: 'It is being deployed.', code: 'busy', status: 409 },
    ]);
    await open('/pipelines');
    await userEvent.click(await screen.findByRole('switch', { name: 'Enable Filler to broker' }));
    expect(await screen.findByText('It is being deployed.')).toBeInTheDocument();
    expect(screen.getByRole('switch', { name: 'Enable Filler to broker' })).toBeChecked();
  });

  it('begins with one thing to do', async () => {
    hub.on('GET /pipelines', [200, page()]);
    await open('/pipelines');
    expect(await screen.findByText('No pipelines yet')).toBeInTheDocument();
    expect(screen.getByRole('link', { name: 'New pipeline' })).toHaveAttribute(
      'href',
      '/pipelines/new',
    );
  });
});

describe('one pipeline', () => {
  it('runs with an input that begins as the last one', async () => {
    hub
      .on('GET /runs/r1', [200, run({ input: [{ speed: 700 }] })])
      .on('POST /pipelines/p1/run', [200, run()]);
    await open('/pipelines/p1/graph');
    fireEvent.click(
      await screen.findByRole('button', { name: 'More actions for Filler to broker' }),
    );
    fireEvent.click(await screen.findByRole('menuitem', { name: 'Run with input…' }));
    const input = await screen.findByLabelText('Input (JSON)');
    expect(input).toHaveValue('{\n  "speed": 700\n}');
    const dialog = screen.getByRole('dialog');
    await userEvent.clear(input);
    await userEvent.type(input, '[[1]');
    await userEvent.click(within(dialog).getByRole('button', { name: 'Run now' }));
    expect(within(dialog).getByText('It must be an object or a list of objects.')).toBeVisible();
    await userEvent.clear(input);
    await userEvent.type(input, '{{"speed": 900}');
    await userEvent.click(within(dialog).getByRole('button', { name: 'Run now' }));
    expect(await screen.findByText('“Filler to broker” ran: completed.')).toBeInTheDocument();
    expect(hub.last('POST /pipelines/p1/run').body).toEqual({ input: { speed: 900 } });
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  });

  it('tells of a node what it did, and what it failed with last', async () => {
    const scale = counters('scale', {
      errors: 1,
      lastError: { class: 'Function', code: 'x', message: 'rpm is not a number' },
      lastFailedInput: { speed: 'fast' },
    });
    hub.on('GET /pipelines/p1', [
      200,
      pipeline({ state: { ...pipeline().state, nodes: [counters('manual'), scale] } }),
    ]);
    await open('/pipelines/p1/graph');
    await press(/Set fields/);
    const facts = await screen.findByRole('region', { name: 'What Set fields did' });
    expect(within(facts).getByText(/rpm is not a number/)).toBeInTheDocument();
    expect(within(facts).getByText(/"speed": "fast"/)).toBeInTheDocument();
  });

  it('shows runs as they come, and runs one again', async () => {
    hub.on('POST /runs/r1/rerun', [200, run({ id: 'r2', status: 'failed' })]);
    await open('/pipelines/p1/runs');
    await screen.findByRole('row', { name: /^completed/ });
    act(() =>
      live.socket.say({
        id: live.socket.idOf('runs'),
        seq: 1,
        type: 'snapshot',
        data: [run({ id: 'r3', status: 'running', endedAt: null })],
      }),
    );
    expect(await screen.findByRole('button', { name: 'Cancel' })).toBeInTheDocument();
    const done = screen.getByRole('row', { name: /^completed/ });
    await userEvent.click(within(done).getByRole('button', { name: 'Run again' }));
    expect(await screen.findByText('It ran again: failed.')).toBeInTheDocument();
  });

  it('releases and deletes the dead letters that are chosen', async () => {
    const letter = (id: string): Schemas['DeadLetter'] => ({
      id,
      pipelineId: 'p1',
      nodeId: 'scale',
      acceptedAt: '2026-11-22T10:00:00Z',
      deadAt: '2026-11-22T10:00:00Z',
      attempts: 3,
      reason: { class: 'Function', code: 'refused', message: `${id} was refused` },
      payload: { record: { speed: id } },
    });
    hub
      .on('GET /pipelines/p1/deadletters', [200, page(letter('l1'), letter('l2'))])
      .on('POST /pipelines/p1/deadletters/release', [200, { released: 1 }])
      .on('POST /pipelines/p1/deadletters/delete', [200, { deleted: 2 }]);
    await open('/pipelines/p1/deadletters');
    await press('Show the payload of letter 2');
    expect(screen.getByText(/"speed": "l2"/)).toBeInTheDocument();
    await userEvent.click(screen.getByRole('checkbox', { name: 'Choose letter 2' }));
    await press('Release');
    expect(await screen.findByText('1 dead letter is back in its queue.')).toBeInTheDocument();
    expect(hub.last('POST /pipelines/p1/deadletters/release').body).toEqual({ ids: ['l2'] });
    await press('Delete all');
    await userEvent.click(
      within(await screen.findByRole('dialog')).getByRole('button', { name: 'Delete' }),
    );
    expect(await screen.findByText('2 dead letters are deleted.')).toBeInTheDocument();
    expect(hub.last('POST /pipelines/p1/deadletters/delete').body).toEqual({});
  });

  it('rolls back to a version, over the one that it saw', async () => {
    const version = (number: number) => ({
      version: number,
      at: '2026-11-22T10:00:00Z',
      actor: 'ada',
      document: {},
    });
    hub
      .on('GET /pipelines/p1/versions', [200, page(version(4), version(3))])
      .on('POST /pipelines/p1/versions/3/restore', [200, pipeline({ version: 5 })]);
    await open('/pipelines/p1/versions');
    await press('Roll back to 3');
    await userEvent.click(
      within(await screen.findByRole('dialog')).getByRole('button', { name: 'Roll back to 3' }),
    );
    expect(await screen.findByText('Version 5 is deployed.')).toBeInTheDocument();
    expect(hub.last('POST /pipelines/p1/versions/3/restore').headers.get('If-Match')).toBe('"4"');
  });
});

describe('the editor', () => {
  const rename = async (text: string) => {
    const name = await screen.findByLabelText('Name of the pipeline');
    await userEvent.clear(name);
    await userEvent.type(name, text);
  };

  it('makes a pipeline in the outline', async () => {
    hub
      .on('POST /pipelines', [201, pipeline({ id: 'p1', name: 'by hand' })])
      .on('GET /pipelines/p1', [200, pipeline({ name: 'by hand' })]);
    await open('/pipelines/new');
    await rename('by hand');
    await userEvent.selectOptions(await screen.findByLabelText('Add a node'), 'By hand');
    await press('Add: Add a node');
    await userEvent.selectOptions(
      await screen.findByLabelText('From manual by out, lead to'),
      'Set fields',
    );
    await press('Connect: From manual by out, lead to');
    await press('Create pipeline');
    await waitFor(() => expect(location.pathname).toBe('/pipelines/p1/graph'));
    expect(hub.last('POST /pipelines').body).toMatchObject({
      name: 'by hand',
      enabled: true,
      nodes: [{ type: 'trigger.manual' }, { type: 'set' }],
      edges: [{ from: 'manual', to: 'set' }],
    });
  });

  it('shows what is wrong at the node it is wrong with', async () => {
    hub.on('POST /pipelines/validate', [
      200,
      {
        valid: false,
        problems: [
          { pointer: '/nodes/1/settings/fields/rpm', code: 'x', message: 'unexpected token' },
        ],
        warnings: [],
      },
    ]);
    await open('/pipelines/p1/edit');
    expect((await screen.findAllByText(/unexpected token/)).length).toBeGreaterThan(0);
    expect(screen.getAllByText('1 problem').length).toBeGreaterThan(0);
  });

  it('saves a draft over the version it began with, and says so when another was faster', async () => {
    hub.on('PUT /pipelines/p1/draft', [200, draft()]);
    await open('/pipelines/p1/edit');
    await rename('Renamed');
    await press('Save draft');
    expect(await screen.findByText('The draft is saved.')).toBeInTheDocument();
    const first = hub.last('PUT /pipelines/p1/draft');
    expect(first.headers.get('If-Match')).toBe('"4"');
    expect(first.body).toMatchObject({ name: 'Renamed' });
    hub.on('PUT /pipelines/p1/draft', [
      412,
      { title: 'It was changed.', code: 'version_mismatch', status: 412 },
    ]);
    await rename('Once more');
    await press('Save draft');
    expect(
      await screen.findByText('The draft was changed elsewhere meanwhile.'),
    ).toBeInTheDocument();
    expect(hub.last('PUT /pipelines/p1/draft').headers.get('If-Match')).toBe('"5"');
  });

  it('asks before a link takes away what is not saved', async () => {
    await open('/pipelines/p1/edit');
    await rename('Renamed');
    await userEvent.click(screen.getByRole('link', { name: 'Connections' }));
    const question = await screen.findByRole('dialog', { name: 'Leave without saving?' });
    await userEvent.click(within(question).getByRole('button', { name: 'Cancel' }));
    expect(location.pathname).toBe('/pipelines/p1/edit');
    expect(screen.getByLabelText('Name of the pipeline')).toHaveValue('Renamed');
    await userEvent.click(screen.getByRole('link', { name: 'Connections' }));
    await press('Leave without saving');
    await waitFor(() => expect(location.pathname).toBe('/connections'));
  });

  it('takes back and makes again by the buttons', async () => {
    await open('/pipelines/p1/edit');
    await rename('Renamed');
    await press('Undo');
    expect(screen.getByLabelText('Name of the pipeline')).toHaveValue('Filler to broker');
    await press('Redo');
    expect(screen.getByLabelText('Name of the pipeline')).toHaveValue('Renamed');
  });
});
