import { act, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { connection, type FakeHub, page, state } from '@/shared/testing/fake-hub';
import type { fakeLive } from '@/shared/testing/fake-socket';
import { refusedCertificate, refusedTest } from './testing/diagnoses';
import { startApp } from './testing/start-app';

// There is no canvas here to draw on; the browser test looks at the chart.
vi.mock('uplot', () => ({
  default: class {
    static readonly paths = {};
    batch(change: () => void) {
      change();
    }
    setData() {}
    setScale() {}
    setSize() {}
    destroy() {}
  },
}));

let hub: FakeHub;
let live: ReturnType<typeof fakeLive>;
let openLive: (path: string) => Promise<unknown>;

beforeEach(() => {
  ({ hub, live, openLive } = startApp());
  return () => vi.unstubAllGlobals();
});

describe('the connections', () => {
  it('follow their live state, and say so when the line is lost', async () => {
    await openLive('/connections');
    expect(await screen.findByRole('link', { name: 'Filler' })).toBeInTheDocument();
    const row = screen.getByRole('row', { name: /Filler/ });
    expect(within(row).getByText('Connected')).toBeInTheDocument();
    const id = live.socket.idOf('connections');
    act(() =>
      live.socket.say({
        id,
        seq: 1,
        type: 'snapshot',
        data: [{ id: 'c1', state: state('Connected') }],
      }),
    );
    const cause = {
      class: 'Transient',
      code: 'connection_refused',
      message: '192.0.2.10:502 refused the connection',
    };
    act(() =>
      live.socket.say({
        id,
        seq: 2,
        type: 'delta',
        data: { id: 'c1', state: state('Disconnected', { cause: cause as never }) },
      }),
    );
    expect(await within(row).findByText('Disconnected')).toBeInTheDocument();
    expect(within(row).getByTitle('192.0.2.10:502 refused the connection')).toBeInTheDocument();
    expect(screen.getByText('Live')).toBeInTheDocument();
    act(() => live.socket.drop());
    expect(screen.getByText('Stale')).toBeInTheDocument();
  });

  it('are found by label and address', async () => {
    hub.on('GET /connections', [
      200,
      page(
        connection(),
        connection({ id: 'c2', name: 'Broker', settings: { host: 'mq.local' }, labels: {} }),
      ),
    ]);
    await openLive('/connections');
    const search = await screen.findByRole('textbox');
    await userEvent.type(search, 'mq.local');
    expect(screen.queryByRole('link', { name: 'Filler' })).toBeNull();
    await userEvent.clear(search);
    await userEvent.type(search, 'line:3');
    expect(screen.getByRole('link', { name: 'Filler' })).toBeInTheDocument();
  });

  it('come as a screenful at first, then all of them', async () => {
    hub.on('GET /connections', ({ query }) => [
      200,
      query.has('cursor')
        ? page(connection({ id: 'c2', name: 'Broker' }))
        : { items: [connection()], next: 'filler' },
    ]);
    await openLive('/connections');
    expect(await screen.findByRole('link', { name: 'Broker' })).toBeInTheDocument();
    expect(screen.getByRole('link', { name: 'Filler' })).toBeInTheDocument();
    const asked = hub.asked.filter(({ path }) => path === '/connections');
    expect(asked.map(({ query }) => query.get('limit'))).toEqual(['100', '1000']);
  });

  it('that were made while the list was loading are loaded, too', async () => {
    let loads = 0;
    hub.on('GET /connections', () => {
      loads += 1;
      const known = [connection()];
      return [
        200,
        page(...(loads > 2 ? [...known, connection({ id: 'c2', name: 'Broker' })] : known)),
      ];
    });
    await openLive('/connections');
    await screen.findByRole('link', { name: 'Filler' });
    const id = live.socket.idOf('connections');
    const data = [{ id: 'c1', state: state('Connected') }];
    act(() => live.socket.say({ id, seq: 1, type: 'snapshot', data }));
    const made = { id: 'c2', name: 'Broker', state: state('Idle') };
    act(() => live.socket.say({ id, seq: 2, type: 'delta', data: made }));
    expect(await screen.findByRole('link', { name: 'Broker' })).toBeInTheDocument();
    expect(loads).toBe(3);
  });

  it('offer one action when there are none', async () => {
    hub.on('GET /connections', [200, page()]);
    await openLive('/connections');
    expect(await screen.findByText('No connections yet')).toBeInTheDocument();
    expect(screen.getByRole('link', { name: 'Add connection' })).toHaveAttribute(
      'href',
      '/connections/new',
    );
  });
});

describe('one connection', () => {
  it.each([
    ['Idle', ['Start']],
    ['Connected', ['Stop', 'Restart', 'Suspend']],
    ['Disconnected', ['Connect now', 'Stop', 'Suspend']],
    ['Failed', ['Connect now', 'Stop', 'Suspend']],
    ['Suspended', ['Resume and start', 'Resume']],
  ] as const)('offers in %s exactly what is allowed', async (status, actions) => {
    const one = connection({ state: state(status) });
    hub.on('GET /connections', [200, page(one)]).on('GET /connections/c1', [200, one]);
    await openLive('/connections/c1/functions');
    await screen.findByRole('heading', { name: 'Filler' });
    const all = [
      'Start',
      'Stop',
      'Restart',
      'Connect now',
      'Suspend',
      'Resume',
      'Resume and start',
    ];
    const offered = all.filter((name) => screen.queryByRole('button', { name }));
    expect(offered.sort()).toEqual([...actions].sort());
  });

  it('is suspended only with a reason', async () => {
    const suspended = connection({
      state: state('Suspended', {
        suspension: { reason: 'valve', by: 'ada', at: '2026-11-22T10:00:00Z', until: null },
      }),
    });
    hub.on('POST /connections/c1/suspend', [200, suspended]).on('GET /connections/c1/impact', [
      200,
      {
        functions: [
          {
            id: 'f1',
            name: 'Watch filler',
            kind: 'subscribe',
            type: 'modbus.subscribe',
            connectionId: 'c1',
          },
        ],
        pipelines: [
          {
            id: 'p1',
            name: 'Filler to history',
            enabled: true,
            uses: 'trigger',
            functionIds: ['f1'],
          },
        ],
      },
    ]);
    await openLive('/connections/c1/functions');
    await userEvent.click(await screen.findByRole('button', { name: 'Suspend' }));
    const dialog = await screen.findByRole('dialog');
    expect(await within(dialog).findByText('Watch filler')).toBeInTheDocument();
    expect(
      within(dialog).getByText('Filler to history (nothing starts it any more)'),
    ).toBeInTheDocument();
    await userEvent.click(within(dialog).getByRole('button', { name: 'Suspend' }));
    expect(within(dialog).getByText('Say why: the next shift will ask.')).toBeInTheDocument();
    await userEvent.type(within(dialog).getByLabelText(/^Reason/), 'valve');
    hub.on('GET /connections/c1', [200, suspended]);
    await userEvent.click(within(dialog).getByRole('button', { name: 'Suspend' }));
    await waitFor(() => expect(screen.getAllByText('Suspended').length).toBeGreaterThan(0));
    expect(hub.last('POST /connections/c1/suspend').body).toEqual({ reason: 'valve', until: null });
  });

  it('says why it is down and when the next attempt comes', async () => {
    const nextAttemptAt = new Date(Date.now() + 21_000).toISOString();
    hub.on('GET /connections/c1', [
      200,
      connection({
        state: state('Disconnected', {
          attempt: 4,
          nextAttemptAt,
          cause: {
            class: 'Transient',
            code: 'timeout',
            message: '192.0.2.10:502 did not answer within 3 s',
            hint: 'Is the device on?',
            at: '2026-11-22T10:00:00Z',
          },
          breaker: { state: 'closed', consecutiveFailures: 4, openUntil: null },
        }),
      }),
    ]);
    await openLive('/connections/c1/functions');
    expect(await screen.findByText(/did not answer within 3 s/)).toBeInTheDocument();
    expect(screen.getByText('Is the device on?')).toBeInTheDocument();
    expect(screen.getByText(/^in 2\d s$/)).toBeInTheDocument();
    expect(screen.getByText(/4 failures in a row/)).toBeInTheDocument();
  });

  it('shows live values with quality, and calls good ones stale when the hub falls silent', async () => {
    await openLive('/connections/c1');
    await waitFor(() => expect(live.socket.sent.some((one) => one.topic === 'values')).toBe(true));
    const id = live.socket.idOf('values');
    const receiveTime = new Date().toISOString();
    const speed = { point: 'speed', value: 1480, quality: 'good', sourceTime: null, receiveTime };
    const level = {
      point: 'level',
      value: null,
      quality: 'bad',
      sourceTime: null,
      receiveTime,
      error: { code: 'illegal', message: 'The device refused address 8' },
    };
    act(() => live.socket.say({ id, seq: 1, type: 'snapshot', data: [speed, level] }));
    const row = await screen.findByRole('row', { name: /speed/ });
    expect(within(row).getByText('Good')).toBeInTheDocument();
    expect(within(screen.getByRole('row', { name: /level/ })).getByText('Bad')).toHaveAttribute(
      'title',
      'The device refused address 8',
    );
    act(() =>
      live.socket.say({ id, seq: 2, type: 'delta', data: { samples: [{ ...speed, value: 12 }] } }),
    );
    expect(await within(row).findByText('12')).toBeInTheDocument();
    act(() => live.socket.drop());
    expect(await within(row).findByText('Stale')).toBeInTheDocument();
    expect(within(screen.getByRole('row', { name: /level/ })).getByText('Bad')).toBeInTheDocument();
  });
});

describe('many connections', () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, index) =>
      connection({ id: `c${index}`, name: `Line ${index}`, labels: {} }),
    );

  it('are drawn only as far as they are in sight, and told of in full', async () => {
    hub.on('GET /connections', [200, page(...many(10_000))]);
    await openLive('/connections');
    const table = await screen.findByRole('table');
    expect(table).toHaveAttribute('aria-rowcount', '10001');
    expect(within(table).getAllByRole('row').length).toBeLessThan(100);
    expect(screen.getByRole('row', { name: /Line 0/ })).toHaveAttribute('aria-rowindex', '2');
  });

  it('are sorted by what one asks for, and the address remembers it', async () => {
    hub.on('GET /connections', [
      200,
      page(
        connection({ id: 'c1', name: 'A', state: state('Connected') }),
        connection({ id: 'c2', name: 'B', state: state('Failed') }),
      ),
    ]);
    await openLive('/connections');
    const names = () =>
      screen.getAllByRole('link', { name: /^[AB]$/ }).map((link) => link.textContent);
    await screen.findByRole('link', { name: 'A' });
    expect(names()).toEqual(['A', 'B']);
    const heading = screen.getByRole('columnheader', { name: 'Status' });
    await userEvent.click(within(heading).getByRole('button'));
    expect(names()).toEqual(['B', 'A']);
    expect(heading).toHaveAttribute('aria-sort', 'ascending');
    await userEvent.click(within(heading).getByRole('button'));
    expect(names()).toEqual(['A', 'B']);
    expect(location.search).toBe('?sort=-status');
  });

  it('get one command, and the outcome is told for each', async () => {
    const [a, b] = many(2);
    hub.on('GET /connections', [200, page(a, b)]).on('POST /connections/bulk', ({ query }) =>
      query.get('dryRun') === 'true'
        ? [200, { items: [], succeeded: 0, failed: 0, impact: { functions: [], pipelines: [] } }]
        : [
            200,
            {
              items: [
                { id: 'c0', name: 'Line 0', ok: true, state: state('Suspended') },
                {
                  id: 'c1',
                  name: 'Line 1',
                  ok: false,
                  error: { code: 'gone', message: 'It was deleted meanwhile.' },
                },
              ],
              succeeded: 1,
              failed: 1,
            },
          ],
    );
    await openLive('/connections');
    await userEvent.click(await screen.findByLabelText('Choose all that are shown'));
    const bar = await screen.findByRole('region', { name: 'For the chosen connections' });
    expect(within(bar).getByText('2 chosen')).toBeInTheDocument();
    await userEvent.click(within(bar).getByRole('button', { name: 'Suspend' }));
    const dialog = await screen.findByRole('dialog', { name: 'Suspend 2 connections' });
    await within(dialog).findByText('No function and no enabled pipeline depends on it.');
    await userEvent.type(within(dialog).getByLabelText(/^Reason/), 'overhaul');
    await userEvent.selectOptions(within(dialog).getByLabelText('End by itself'), 'in 1 h');
    await userEvent.selectOptions(
      within(dialog).getByLabelText('Then'),
      'stay Idle until somebody starts it',
    );
    await userEvent.click(within(dialog).getByRole('button', { name: 'Suspend' }));
    const outcome = await screen.findByRole('dialog', { name: 'What became of suspending' });
    expect(within(outcome).getByText('1 done, 1 refused.')).toBeInTheDocument();
    expect(within(outcome).getByText('It was deleted meanwhile.')).toBeInTheDocument();
    expect(hub.last('POST /connections/bulk').body).toMatchObject({
      action: 'suspend',
      connectionIds: ['c0', 'c1'],
      reason: 'overhaul',
    });
    expect(hub.last('POST /connections/bulk').body).toHaveProperty('then', 'resume');
  });
});

describe('why a connection is down', () => {
  const cause = {
    class: 'Trust' as const,
    code: 'self_signed',
    message: 'The certificate of mes.plant is self-signed.',
    pointer: '/settings/host',
  };
  const down = connection({
    state: state('Failed', {
      cause,
      nextAttemptAt: new Date(Date.now() + 300_000).toISOString(),
      breaker: { state: 'open', consecutiveFailures: 1, openUntil: null },
    }),
  });
  const explanation = {
    summary: 'It has been down since 10:00.',
    down: true,
    downSince: '2026-11-22T10:00:00Z',
    state: down.state,
    failures: 7,
    occurrences: 5,
    firstAt: '2026-11-22T10:00:00Z',
    lastAt: '2026-11-22T10:05:00Z',
    nextAttemptInMs: 300_000,
    causes: [],
    changedBefore: [
      {
        at: '2026-11-22T09:58:00Z',
        kind: 'certificate',
        by: 'grace',
        what: 'The TLS settings were changed.',
      },
    ],
    hit: {
      functions: [],
      pipelines: [
        { id: 'p1', name: 'To history', enabled: true, uses: 'destination', functionIds: [] },
      ],
    },
    alarms: [],
  };
  const certificate = refusedCertificate;

  beforeEach(() => {
    hub
      .on('GET /connections', [200, page(down)])
      .on('GET /connections/c1', [200, down])
      .on('GET /connections/c1/explanation', [200, explanation])
      .on('GET /certificates', [200, page(certificate)]);
  });

  it('is what one sees first: cause and count, what comes next, what was changed, what is hit', async () => {
    await openLive('/connections/c1');
    const card = await screen.findByRole('region', { name: 'Why it is down' });
    expect(within(card).getByText('seen 5 times')).toBeInTheDocument();
    expect(within(card).getByText(/^in (4|5) min/)).toBeInTheDocument();
    expect(
      within(card).getByText(/The TLS settings were changed. \(by grace\)/),
    ).toBeInTheDocument();
    expect(within(card).getByRole('link', { name: 'To history' })).toHaveAttribute(
      'href',
      '/pipelines/p1',
    );
    expect(within(card).getByRole('link', { name: 'Go to the field' })).toHaveAttribute(
      'href',
      '/connections/c1/settings#/settings/host',
    );
  });

  it('is tested now, stage by stage', async () => {
    hub.on('POST /connections/c1/test', [200, refusedTest]);
    await openLive('/connections/c1/overview');
    await userEvent.click(await screen.findByRole('button', { name: 'Test now' }));
    expect(await screen.findByText('Stopped at “Reach the port”.')).toBeInTheDocument();
  });

  it('lets a person trust the certificate only after comparing its fingerprint', async () => {
    hub.on(`POST /certificates/${certificate.id}/trust`, [200, certificate]);
    await openLive('/connections/c1/overview');
    await userEvent.click(await screen.findByRole('button', { name: 'Look at the certificate' }));
    const dialog = await screen.findByRole('dialog');
    expect(await within(dialog).findByText('AB:CD:EF')).toBeInTheDocument();
    expect(within(dialog).getByText('mes.plant, 192.0.2.10')).toBeInTheDocument();
    expect(within(dialog).getByText(/Nobody vouches for it/)).toBeInTheDocument();
    const trust = within(dialog).getByRole('button', { name: 'Trust this certificate' });
    expect(trust).toBeDisabled();
    await userEvent.click(within(dialog).getByRole('checkbox'));
    await userEvent.click(trust);
    await waitFor(() => hub.last(`POST /certificates/${certificate.id}/trust`));
    expect(
      within(dialog).getByRole('region', { name: 'How the server comes to trust us' }),
    ).toBeInTheDocument();
  });
});

describe('what happened to a connection', () => {
  it('is told by outages that unfold into their changes', async () => {
    const event = (seq: number, from: string, to: string) => ({
      seq,
      at: `2026-11-22T10:0${seq}:00Z`,
      from,
      to,
      epoch: seq,
      cause: null,
      note: null,
      actor: null,
      monotonicNs: null,
      bootId: null,
    });
    hub.on('GET /connections/c1/events', [
      200,
      page(
        event(1, 'Connecting', 'Connected'),
        event(2, 'Connected', 'Disconnected'),
        event(3, 'Disconnected', 'Reconnecting'),
        event(4, 'Reconnecting', 'Connected'),
      ),
    ]);
    await openLive('/connections/c1/events');
    const outage = await screen.findByText('Down for 2 min');
    expect(screen.getByText('1 attempt, ended in Connected')).toBeInTheDocument();
    const details = outage.closest('details');
    expect(details).not.toHaveAttribute('open');
    expect(within(details as HTMLElement).getAllByRole('listitem')).toHaveLength(3);
  });
});

describe('who uses a connection', () => {
  it('is told with the function it goes through', async () => {
    const node = (id: string, kind: string, name: string) => ({
      id,
      kind,
      name,
      type: null,
      status: null,
      missing: false,
    });
    hub.on('GET /dependencies', [
      200,
      {
        nodes: [
          node('c1', 'connection', 'Filler'),
          node('f1', 'function', 'Watch filler'),
          node('p1', 'pipeline', 'To history'),
        ],
        edges: [
          { from: 'f1', to: 'c1', use: 'connection', nodeIds: [] },
          { from: 'p1', to: 'f1', use: 'trigger', nodeIds: ['values'] },
          { from: 'p1', to: 'c1', use: 'status', nodeIds: ['watch'] },
        ],
      },
    ]);
    await openLive('/connections/c1/usedby');
    const rows = (await screen.findAllByRole('row')).slice(1).map((row) => row.textContent);
    expect(rows).toEqual([
      'To historyWatch fillertriggervalues',
      'To historythe connection itselfits status is watchedwatch',
    ]);
  });
});
