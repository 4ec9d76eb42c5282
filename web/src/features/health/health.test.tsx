import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import type { ReactNode } from 'react';
import { MemoryRouter, Route, Routes, useLocation } from 'react-router';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { connection, connector, FakeHub, page, state } from '@/shared/testing/fake-hub';
import { connectionHealth, summary, systemHealth } from '@/shared/testing/health';
import { renderUi } from '@/shared/testing/render';
import HealthTab from './HealthTab';
import WindowPage from './maintenance/WindowPage';
import NoticesTab from './notices/NoticesTab';
import Overview from './overview/Overview';

let hub: FakeHub;

beforeEach(() => {
  hub = new FakeHub()
    .on('GET /connections', [200, page(connection())])
    .on('GET /connectors', [200, page(connector)])
    .on('GET /connections/c1/health', [200, connectionHealth()])
    .on('GET /connections/c1/events', [200, page()])
    .on('GET /health/connections', [200, systemHealth([summary()])]);
  return () => vi.unstubAllGlobals();
});

function Address() {
  const { search } = useLocation();
  return <output data-testid="address">{search}</output>;
}

function show(path: string, route: string, element: ReactNode) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return renderUi(
    <QueryClientProvider client={client}>
      <MemoryRouter initialEntries={[path]}>
        <Routes>
          <Route path={route} element={element} />
          <Route path="*" element={<p>elsewhere</p>} />
        </Routes>
        <Address />
      </MemoryRouter>
    </QueryClientProvider>,
  );
}

const overview = (path = '/health') => show(path, '/health', <Overview />);
const address = () => new URLSearchParams(screen.getByTestId('address').textContent ?? '');

const event = (seq: number, at: string, to: string, note: string | null, actor: string | null) => ({
  seq,
  at,
  from: 'Connected',
  to,
  epoch: seq,
  cause: null,
  note,
  actor,
  monotonicNs: null,
  bootId: null,
});

describe('the page of health', () => {
  it('shows each connection with its time in words, its uptime and how that was counted', async () => {
    overview('/health?from=2026-11-21T12:00:00Z&to=2026-11-22T12:00:00Z');
    const row = await screen.findByRole('listitem', { name: '' });
    expect(within(row).getByRole('link', { name: 'Filler' })).toBeInTheDocument();
    expect(await within(row).findByText('Suspended, 1 h')).toBeInTheDocument();
    expect(within(row).getByText('Connected, 23 h')).toBeInTheDocument();
    expect(screen.getByText('23 h connected of 23 h counted')).toBeInTheDocument();
    expect(
      screen.getByText('Not counted: Idle 0 s, Suspended 1 h, Unknown 0 s'),
    ).toBeInTheDocument();
  });

  it('unfolds into events: who suspended it and why', async () => {
    hub.on('GET /connections/c1/events', [
      200,
      page(
        event(1, '2026-11-22T08:00:00Z', 'Suspended', 'suspended: valve replacement', 'ada'),
        event(2, '2026-11-22T09:00:00Z', 'Idle', 'resume', 'bob'),
      ),
    ]);
    overview();
    await userEvent.click(await screen.findByRole('button', { name: 'Events of Filler' }));
    const group = await screen.findByRole('row', { name: /valve replacement/ });
    expect(within(group).getByText('ada')).toBeInTheDocument();
    expect(within(group).getByText('1 h')).toBeInTheDocument();
    await userEvent.click(within(group).getByRole('button', { name: '2 changes' }));
    expect(screen.getByRole('row', { name: /resume bob/ })).toBeInTheDocument();
  });

  it('tells what is wrong now, and whom to look at first', async () => {
    const cause = {
      class: 'Transient',
      code: 'connection_refused',
      message: 'refused the connection',
    };
    hub.on('GET /health/connections', [
      200,
      systemHealth([summary()], {
        issueCount: 1,
        currentIssues: [
          {
            id: 'c1',
            name: 'Filler',
            type: 'modbus',
            state: state('Disconnected', { cause: cause as never }),
          },
        ],
        alarms: [
          {
            id: 'a1',
            connectionId: null,
            kind: 'disk_full',
            subject: null,
            severity: 'error',
            message: 'The disk is full.',
            raisedAt: '2026-11-22T10:00:00Z',
            clearedAt: null,
          },
        ],
        mostFailures: [summary({ failureCount: 7 }), summary({ id: 'c2', name: 'Quiet' })],
      }),
    ]);
    overview();
    const issues = await screen.findByRole('region', { name: 'Current issues: 2' });
    expect(within(issues).getByText('refused the connection')).toBeInTheDocument();
    expect(within(issues).getByText('The hub itself')).toBeInTheDocument();
    const board = screen.getByRole('region', { name: 'Most failures' });
    expect(within(board).getByText('7')).toBeInTheDocument();
    expect(within(board).queryByText('Quiet')).toBeNull();
  });

  it('shows the past alarms of the period that is chosen, and asks no further back', async () => {
    const alarm = (id: string, raisedAt: string, clearedAt: string | null) => ({
      id,
      connectionId: null,
      kind: 'disk_full',
      subject: null,
      severity: 'error',
      message: `Alarm ${id}.`,
      raisedAt,
      clearedAt,
    });
    const pages: Record<string, object> = {
      '': {
        items: [
          alarm('now', '2026-11-22T11:00:00Z', null),
          alarm('later', '2026-11-22T10:00:00Z', '2026-11-22T10:05:00Z'),
        ],
        next: 'p2',
      },
      p2: {
        items: [
          alarm('within', '2026-11-20T10:00:00Z', '2026-11-20T10:05:00Z'),
          alarm('before', '2026-11-18T10:00:00Z', '2026-11-18T10:05:00Z'),
        ],
        next: 'p3',
      },
    };
    hub.on('GET /alarms', ({ query }) => [200, pages[query.get('cursor') ?? '']]);
    overview('/health?from=2026-11-20T00:00:00Z&to=2026-11-21T00:00:00Z');
    fireEvent.click(await screen.findByRole('button', { name: 'Past alarms' }));
    const past = await screen.findByRole('table', { name: 'Past alarms of the period' });
    expect(within(past).getByText('Alarm within.')).toBeInTheDocument();
    expect(within(past).getAllByRole('row')).toHaveLength(2);
    expect(screen.queryByRole('button', { name: 'Older alarms' })).toBeNull();
    expect(hub.asked.filter((one) => one.path === '/alarms')).toHaveLength(2);
  });

  it('is zoomed and moved by keyboard, and keeps that in the address', async () => {
    overview('/health?from=2026-11-21T12:00:00Z&to=2026-11-22T12:00:00Z&type=modbus');
    const axis = await screen.findByRole('group', { name: /^Time axis/ });
    fireEvent.keyDown(axis, { key: '+' });
    fireEvent.keyDown(axis, { key: 'ArrowLeft' });
    await waitFor(() => expect(address().get('from')).toBe('2026-11-21T15:00:00.000Z'));
    expect(address().get('to')).toBe('2026-11-22T03:00:00.000Z');
    expect(address().get('type')).toBe('modbus');
  });

  it('keeps ten thousand connections out of the page but for those in view', async () => {
    const many = Array.from({ length: 10_000 }, (_, place) =>
      summary({ id: `c${place}`, name: `Line ${place}` }),
    );
    for (const { id } of many.slice(0, 100))
      hub.on(`GET /connections/${id}/health`, [200, connectionHealth()]);
    hub.on('GET /health/connections', [200, systemHealth(many)]);
    overview();
    await screen.findByRole('link', { name: 'Line 0' });
    const rows = screen.getAllByRole('button', { name: /^Events of / });
    expect(rows.length).toBeGreaterThan(5);
    expect(rows.length).toBeLessThan(100);
    await userEvent.type(screen.getByLabelText('Filter by name'), 'Line 9999');
    expect(await screen.findByRole('link', { name: 'Line 9999' })).toBeInTheDocument();
    expect(screen.queryByRole('link', { name: 'Line 0' })).toBeNull();
  });

  it('says what to do when there is nothing, and when the hub does not answer', async () => {
    hub.on('GET /health/connections', [200, systemHealth([])]);
    const { unmount } = overview();
    expect(await screen.findByRole('link', { name: 'Add connection' })).toHaveAttribute(
      'href',
      '/connections/new',
    );
    unmount();
    hub.on('GET /health/connections', [500, { title: 'The store is damaged', status: 500 }]);
    overview();
    expect(await screen.findByRole('alert')).toHaveTextContent('The store is damaged');
    hub.on('GET /health/connections', [200, systemHealth([summary()])]);
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByRole('link', { name: 'Filler' })).toBeInTheDocument();
  });
});

describe('the health of one connection', () => {
  it('never calls the time without a hub anything but Unknown', async () => {
    hub.on('GET /connections/c1/health', [
      200,
      connectionHealth({
        timeline: [
          { from: '2026-11-21T12:00:00Z', to: '2026-11-22T11:00:00Z', status: 'Unknown' },
          { from: '2026-11-22T11:00:00Z', to: '2026-11-22T12:00:00Z', status: 'Connected' },
        ],
      }),
    ]);
    show('/connections/c1/health', '/connections/:id/health', <HealthTab />);
    const list = await screen.findByRole('list', { name: 'Segments' });
    expect(within(list).getAllByRole('listitem')[0]).toHaveTextContent(/^Unknown, .*23 h$/);
  });

  it('is whole for a history that is too long to be listed', async () => {
    const seconds = { ...summary().durations, Connected: 43_200, Suspended: 43_200 };
    const parts = [
      { from: '2026-11-21T12:00:00Z', to: '2026-11-22T12:00:00Z', seconds, failures: 3 },
    ];
    hub.on('GET /connections/c1/health', [
      200,
      connectionHealth({ timeline: [], timelineComplete: false, buckets: parts }),
    ]);
    show('/connections/c1/health', '/connections/:id/health', <HealthTab />);
    const list = await screen.findByRole('list', { name: 'Segments' });
    const texts = within(list)
      .getAllByRole('listitem')
      .map((item) => item.textContent);
    expect(texts).toEqual([
      expect.stringMatching(/^Connected, .* 12 h$/),
      expect.stringMatching(/^Suspended, .* 12 h$/),
    ]);
  });
});

describe('planned maintenance', () => {
  it('shows the refusals of the hub at their fields', async () => {
    hub.on('POST /maintenance-windows', [
      422,
      {
        title: 'The settings are not valid',
        code: 'invalid_settings',
        status: 422,
        errors: [
          { pointer: '/name', code: 'taken', message: 'Another window has this name.' },
          { pointer: '/targets', code: 'required', message: 'Say which connections.' },
        ],
      },
    ]);
    show('/health/maintenance/new', '/health/maintenance/new', <WindowPage />);
    await userEvent.type(await screen.findByLabelText(/^Name/), 'Updates');
    await userEvent.type(screen.getByLabelText(/^Reason/), 'Firmware');
    await userEvent.selectOptions(screen.getByLabelText(/^How often/), 'Every day');
    fireEvent.change(screen.getByLabelText(/^Begins at/), { target: { value: '02:00' } });
    await userEvent.type(screen.getByLabelText(/^Lasts/), '30');
    await userEvent.click(screen.getByRole('button', { name: 'Save' }));
    expect(await screen.findByText('Another window has this name.')).toBeInTheDocument();
    expect(screen.getByText('Say which connections.')).toBeInTheDocument();
    expect(hub.last('POST /maintenance-windows').body).toMatchObject({
      schedule: { kind: 'daily', at: '02:00', durationMinutes: 30 },
      targets: {},
    });
  });
});

describe('notices', () => {
  it('are tried, and say what came back', async () => {
    hub
      .on('GET /notices', [
        200,
        page({
          id: 'n1',
          version: 1,
          name: 'shift',
          url: 'https://alarms.plant.example/hook',
          enabled: true,
          filter: { to: ['Failed'], labels: { line: '3' } },
          forMs: 0,
          debounceMs: 10_000,
          headers: {},
          secrets: {},
          createdAt: '2026-11-22T09:00:00Z',
          updatedAt: '2026-11-22T09:00:00Z',
          status: {
            lastDelivery: null,
            delivered: 3,
            pending: 1,
            failed: 0,
            dropped: 0,
            lastError: null,
          },
        }),
      ])
      .on('POST /notices/n1/test', [
        200,
        {
          success: false,
          status: 403,
          durationMs: 12,
          body: 'no',
          error: {
            class: 'Identity',
            code: 'refused',
            message: 'The receiver refused',
            hint: 'Check the header Authorization.',
          },
        },
      ]);
    show('/health/notices', '/health/notices', <NoticesTab />);
    const row = await screen.findByRole('row', { name: /shift/ });
    expect(within(row).getByText('line: 3')).toBeInTheDocument();
    await userEvent.click(within(row).getByRole('button', { name: 'Send a test to shift' }));
    const result = await screen.findByRole('alert');
    expect(result).toHaveTextContent('Status 403');
    expect(result).toHaveTextContent('Check the header Authorization.');
  });
});
