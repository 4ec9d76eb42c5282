import { act, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Schemas } from '@/shared/api';
import { connection, connector, FakeHub, hubFunction, page } from '@/shared/testing/fake-hub';
import { fakeLive } from '@/shared/testing/fake-socket';
import { App } from './App';

const point = (name: string, address: number) => ({ name, address });
const kPath = '/connections/c1/functions/f1';

const withPoints: Schemas['Connector'] = {
  ...connector,
  functions: [
    {
      type: 'modbus.read',
      title: 'Read registers',
      summary: 'Reads points once.',
      kind: 'read',
      polled: false,
      idempotent: false,
      schema: {
        type: 'object',
        required: ['points'],
        properties: {
          unitId: { type: 'integer', title: 'Unit id', minimum: 0, maximum: 255 },
          points: {
            type: 'array',
            title: 'Points',
            'x-key': 'name',
            'x-widget': 'points',
            items: {
              type: 'object',
              required: ['name', 'address'],
              properties: {
                name: { type: 'string', title: 'Name' },
                address: { type: 'integer', title: 'Address' },
              },
            },
          },
        },
      },
    },
  ],
};

const fn = (more: Partial<Schemas['Function']> = {}) =>
  hubFunction({
    name: 'Read filler',
    type: 'modbus.read',
    kind: 'read',
    subscription: null,
    idempotent: true,
    freshness: { expectMs: 5000 },
    settings: { points: [point('speed', 0), point('level', 4)] },
    ...more,
  });

let hub: FakeHub;
let live: ReturnType<typeof fakeLive>;

beforeEach(() => {
  live = fakeLive();
  hub = new FakeHub()
    .on('GET /auth/me', [200, { name: 'ada', role: 'admin', via: 'session' }])
    .on('GET /connections', [200, page(connection())])
    .on('GET /connections/c1', [200, connection()])
    .on('GET /connections/c1/functions', [200, page(fn())])
    .on('GET /functions/f1', [200, fn()])
    .on('GET /pipelines', [200, page()])
    .on('GET /connectors', [200, page(withPoints)])
    .on('GET /connectors/modbus', [200, withPoints]);
  return () => vi.unstubAllGlobals();
});

async function open(path: string) {
  history.replaceState(null, '', path);
  render(<App makeLive={() => live.client} />);
  await waitFor(() => expect(live.sockets.length).toBeGreaterThan(0));
  act(() => live.socket.open());
}

const grid = () => screen.findByRole('grid', { name: 'Points' });
const unit = () => screen.findByRole('textbox', { name: 'Unit id' });

describe('the editor of a function', () => {
  it('sends what was changed and what has no field, over the version it was opened with', async () => {
    hub.on('PUT /functions/f1', [200, fn({ version: 2 })]);
    await open(kPath);
    await userEvent.type(await unit(), '7');
    // Somebody else's change that arrives meanwhile neither takes what is typed nor is overwritten.
    hub.on('GET /functions/f1', [200, fn({ version: 9, name: 'Other' })]);
    await userEvent.click(screen.getByRole('button', { name: 'Save changes' }));
    await waitFor(() => expect(location.pathname).toBe('/connections/c1/functions'));
    const { body, headers } = hub.last('PUT /functions/f1');
    expect(headers.get('If-Match')).toBe('"1"');
    expect(body).toMatchObject({
      name: 'Read filler',
      idempotent: true,
      freshness: { expectMs: 5000 },
      settings: { unitId: 7, points: [point('speed', 0), point('level', 4)] },
    });
  });

  it('says when somebody else was faster, keeps what is typed, and loads theirs when told to', async () => {
    hub.on('PUT /functions/f1', [
      412,
      { title: 'It was changed.', code: 'version_mismatch', status: 412 },
    ]);
    await open(kPath);
    await userEvent.type(await unit(), '7');
    await userEvent.click(screen.getByRole('button', { name: 'Save changes' }));
    expect(await screen.findByText(/Somebody changed this function/)).toBeInTheDocument();
    expect(await unit()).toHaveValue('7');
    hub.on('GET /functions/f1', [
      200,
      fn({ version: 2, settings: { unitId: 9, points: [point('flow', 8)] } }),
    ]);
    await userEvent.click(screen.getByRole('button', { name: 'Load theirs, lose mine' }));
    await waitFor(async () => expect(await unit()).toHaveValue('9'));
    expect(within(await grid()).getByText('flow')).toBeInTheDocument();
  });

  it('shows a message of the hub at the cell that it is about', async () => {
    hub.on('PUT /functions/f1', [
      422,
      {
        title: 'The settings are not valid',
        code: 'invalid_settings',
        status: 422,
        errors: [{ pointer: '/settings/points/1/address', code: 'x', message: 'It is a coil.' }],
      },
    ]);
    await open(kPath);
    await userEvent.type(await unit(), '7');
    await userEvent.click(screen.getByRole('button', { name: 'Save changes' }));
    const cell = within(await grid())
      .getByText('It is a coil.')
      .closest('[role="gridcell"]');
    expect(cell).toHaveAttribute('aria-invalid', 'true');
    expect(screen.getByRole('button', { name: 'Next problem (1 row)' })).toBeInTheDocument();
  });
});

describe('importing points', () => {
  const openDialog = async () => {
    await open(kPath);
    await grid();
    fireEvent.click(screen.getByRole('button', { name: 'Import and export' }));
    fireEvent.click(await screen.findByRole('menuitem', { name: 'Import CSV or JSON…' }));
    return screen.findByRole('dialog', { name: 'Import points' });
  };
  const give = (dialog: HTMLElement, text: string) =>
    fireEvent.change(within(dialog).getByLabelText('Or paste its content'), {
      target: { value: text },
    });
  const check = (dialog: HTMLElement) =>
    userEvent.click(within(dialog).getByRole('button', { name: 'Check' }));

  it('shows the mistakes of a CSV file by line and column, and offers nothing', async () => {
    hub.on('PUT /functions/f1/points', [
      422,
      {
        title: 'Line 2, column 2 (address): "x" is not a whole number.',
        code: 'invalid_points',
        status: 422,
        errors: [
          {
            pointer: '/csv',
            code: 'invalid_points',
            message: 'Line 2, column 2 (address): "x" is not a whole number.',
          },
        ],
      },
    ]);
    const dialog = await openDialog();
    give(dialog, 'name,address\nspeed,x\n');
    await check(dialog);
    expect(await within(dialog).findByText('Line 2, column 2 (address)')).toBeInTheDocument();
    expect(within(dialog).getByText('"x" is not a whole number.')).toBeInTheDocument();
    expect(within(dialog).queryByRole('button', { name: /^Import/ })).toBeNull();
  });

  it('shows what would become of each point, then does it in one request', async () => {
    const points = [point('speed', 2), point('level', 4), point('flow', 8)];
    hub.on('PUT /functions/f1/points', [200, fn({ version: 2, settings: { points } })]);
    const dialog = await openDialog();
    give(dialog, 'name,address\nspeed,2\nlevel,4\nflow,8\n');
    await check(dialog);
    for (const outcome of ['1 new', '1 changed', '1 unchanged', '0 removed'])
      expect(await within(dialog).findByText(outcome)).toBeInTheDocument();
    const row = within(dialog).getByRole('row', { name: /speed/ });
    expect(within(row).getByText('address')).toBeInTheDocument();
    hub.on('GET /functions/f1', [200, fn({ version: 2, settings: { points } })]);
    await userEvent.click(within(dialog).getByRole('button', { name: 'Import 3 points' }));
    await waitFor(async () => expect(within(await grid()).getByText('flow')).toBeInTheDocument());
    const asked = hub.asked.filter((one) => one.path === '/functions/f1/points');
    expect(asked).toHaveLength(2);
    expect(hub.last('PUT /functions/f1/points').headers.get('If-Match')).toBe('"1"');
  });

  it('takes JSON as well, and names its mistakes by row', async () => {
    hub.on('PATCH /functions/f1', [
      422,
      {
        title: 'The settings are not valid',
        code: 'invalid_settings',
        status: 422,
        errors: [{ pointer: '/settings/points/0/address', code: 'x', message: 'is negative' }],
      },
    ]);
    const dialog = await openDialog();
    give(dialog, '{"name": "speed"}');
    await check(dialog);
    expect(await within(dialog).findByText(/must hold a list of points/)).toBeInTheDocument();
    give(dialog, '[{"name": "speed", "address": -1}]');
    await check(dialog);
    expect(await within(dialog).findByText('Row 1, address')).toBeInTheDocument();
    expect(hub.last('PATCH /functions/f1').body).toEqual({
      settings: { points: [point('speed', -1)] },
    });
  });
});
