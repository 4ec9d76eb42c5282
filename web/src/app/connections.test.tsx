import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { connection, type FakeHub, page, state } from '@/shared/testing/fake-hub';
import type { fakeLive } from '@/shared/testing/fake-socket';
import { me, startApp } from './testing/start-app';

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
    ['Idle', ['Start', 'Suspend']],
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

const refusedTest = {
  success: false,
  stages: [
    { stage: 'resolve', ok: true, durationMs: 1 },
    {
      stage: 'tcp',
      ok: false,
      durationMs: 2000,
      error: {
        class: 'Transient',
        code: 'cannot_connect',
        message: 'nothing answers',
        hint: 'Is it on?',
        pointer: '/settings/host',
      },
    },
  ],
};
const passedTest = { success: true, stages: [{ stage: 'tcp', ok: true, durationMs: 3 }] };

const button = (name: string) => screen.getByRole('button', { name });

describe('making a connection', () => {
  beforeEach(() => sessionStorage.clear());

  /** Endpoint and security are filled in, and the test is asked for. */
  async function upToTest(host: string) {
    await openLive('/connections/new/modbus');
    await userEvent.type(await screen.findByLabelText(/^Host/), host);
    await userEvent.click(button('Test connection'));
  }

  it('tests the unsaved draft stage by stage and leads back to the field', async () => {
    hub.on('POST /connections/test', [200, refusedTest]);
    await upToTest('192.0.2.9');
    expect(await screen.findByText('Stopped at “Reach the port”.')).toBeInTheDocument();
    expect(screen.getByText('Cannot connect.')).toBeInTheDocument();
    expect(screen.getByText(/address or the port is mistyped/)).toBeInTheDocument();
    expect(screen.getByText('failed, 2 s')).toBeInTheDocument();
    await userEvent.click(button('Go to the field'));
    await waitFor(() => expect(screen.getByLabelText(/^Host/)).toHaveFocus());
  });

  it('does not go on while a field of the step is wrong', async () => {
    await openLive('/connections/new/modbus');
    await screen.findByLabelText(/^Host/);
    await userEvent.click(button('Test connection'));
    expect(screen.getByText('Fill this in.')).toBeInTheDocument();
    expect(hub.asked.some((one) => one.path === '/connections/test')).toBe(false);
  });

  it('saves what was seen to work, with secrets apart from settings, and goes on to a function', async () => {
    hub
      .on('POST /connections/test', [200, passedTest])
      .on('POST /connections', [201, connection()]);
    await openLive('/connections/new/modbus');
    await userEvent.type(await screen.findByLabelText(/^Host/), '192.0.2.10');
    await userEvent.type(screen.getByLabelText('Password'), 'geheim');
    await userEvent.click(button('Test connection'));
    await screen.findByText('Everything answers.');
    await userEvent.click(button('Next'));
    expect(screen.getByRole('textbox', { name: /^Name/ })).toHaveValue('Modbus 192.0.2.10:502');
    await userEvent.selectOptions(screen.getByLabelText('Environment'), 'Production');
    fireEvent.click(button('Save connection'));
    await waitFor(() => expect(location.pathname).toBe('/connections/c1/functions/new'));
    expect(hub.last('POST /connections').body).toMatchObject({
      name: 'Modbus 192.0.2.10:502',
      type: 'modbus',
      labels: { environment: 'production' },
      settings: { host: '192.0.2.10', port: 502 },
      secrets: { password: 'geheim' },
      autostart: true,
    });
  });

  it('saves an untested draft, which does not start by itself', async () => {
    hub.on('POST /connections', [201, connection()]);
    await openLive('/connections/new/modbus');
    await userEvent.type(await screen.findByLabelText(/^Host/), '192.0.2.10');
    await userEvent.click(button('Save without testing'));
    expect(await screen.findByText(/saved as a draft/)).toBeInTheDocument();
    await userEvent.click(button('Save connection'));
    await waitFor(() => expect(location.pathname).toBe('/connections/c1/functions/new'));
    expect(hub.last('POST /connections').body).toMatchObject({ autostart: false });
  });

  it('shows the refusals of the hub at their fields, in the step where they are', async () => {
    hub.on('POST /connections', [
      422,
      {
        title: 'The settings are not valid',
        code: 'invalid_settings',
        status: 422,
        errors: [
          { pointer: '/settings/host', code: 'format', message: 'This name has a space in it' },
        ],
      },
    ]);
    await openLive('/connections/new/modbus');
    await userEvent.type(await screen.findByLabelText(/^Host/), 'a b');
    await userEvent.click(button('Save without testing'));
    await userEvent.click(await screen.findByRole('button', { name: 'Save connection' }));
    expect(await screen.findByText('This name has a space in it')).toBeInTheDocument();
    await waitFor(() => expect(screen.getByLabelText(/^Host/)).toHaveFocus());
  });

  it('says at the name that it is taken', async () => {
    hub.on('POST /connections', [
      409,
      { title: 'The name is taken', code: 'name_taken', status: 409, detail: 'Another has it.' },
    ]);
    await openLive('/connections/new/modbus');
    await userEvent.type(await screen.findByLabelText(/^Host/), 'plc');
    await userEvent.click(button('Save without testing'));
    await userEvent.click(await screen.findByRole('button', { name: 'Save connection' }));
    await waitFor(() => expect(screen.getByRole('textbox', { name: /^Name/ })).toBeInvalid());
    expect(screen.getByText('Another has it.')).toBeInTheDocument();
  });

  it('has what was typed, but no secret, after the session ended and one signed in again', async () => {
    const ended: [number, object] = [
      401,
      { title: 'Sign in first.', code: 'not_authenticated', status: 401 },
    ];
    hub
      .on('POST /connections/test', ended)
      .on('GET /auth/state', [200, { needsSetup: false }])
      .on('POST /auth/login', [200, me]);
    await openLive('/connections/new/modbus');
    await userEvent.type(await screen.findByLabelText(/^Host/), '192.0.2.77');
    await userEvent.type(screen.getByLabelText('Password'), 'geheim');
    hub.on('GET /auth/me', ended);
    await userEvent.click(button('Test connection'));
    await userEvent.type(await screen.findByLabelText('User name'), 'ada');
    await userEvent.type(screen.getByLabelText('Password'), 'correct horse battery');
    hub.on('GET /auth/me', [200, me]);
    await userEvent.click(button('Sign in'));
    expect(await screen.findByLabelText(/^Host/)).toHaveValue('192.0.2.77');
    expect(screen.getByText(/What was typed here before is back/)).toBeInTheDocument();
    expect(screen.getByLabelText('Password')).toHaveValue('');
    expect(JSON.stringify({ ...sessionStorage })).not.toContain('geheim');
    await userEvent.click(button('Start over'));
    expect(await screen.findByLabelText(/^Host/)).toHaveValue('');
  });
});

describe('changing a connection', () => {
  beforeEach(() => sessionStorage.clear());

  it('sends what was changed with If-Match, and names what was taken away with null', async () => {
    hub
      .on('GET /connections/c1', [
        200,
        connection({ secrets: { password: { set: true, changedAt: null } } }),
      ])
      .on('PATCH /connections/c1', [200, connection({ version: 4 })]);
    await openLive('/connections/c1/edit');
    await userEvent.clear(await screen.findByLabelText(/^Labels/));
    await userEvent.clear(screen.getByLabelText(/^Port/));
    await userEvent.click(button('Save changes'));
    await waitFor(() => expect(hub.asked.some((one) => one.method === 'PATCH')).toBe(true));
    const { body, headers } = hub.last('PATCH /connections/c1');
    expect(headers.get('If-Match')).toBe('"3"');
    expect(body).toEqual({ labels: { line: null }, settings: { port: null } });
  });

  it('shows what somebody else changed meanwhile, and saves mine on top of it', async () => {
    hub.on('PATCH /connections/c1', [
      412,
      { title: 'It has changed in the meantime', code: 'version_conflict', status: 412 },
    ]);
    await openLive('/connections/c1/settings');
    const host = await screen.findByLabelText(/^Host/);
    await userEvent.clear(host);
    await userEvent.type(host, '192.0.2.50');
    const theirs = connection({ version: 4, settings: { host: '192.0.2.10', port: 503 } });
    hub.on('GET /connections/c1', [200, theirs]);
    await userEvent.click(button('Save changes'));
    const alert = await screen.findByRole('alert');
    expect(within(alert).getByText('/settings/port')).toBeInTheDocument();
    expect(within(alert).getByText('503')).toBeInTheDocument();
    expect(host).toHaveValue('192.0.2.50');
    hub.on('PATCH /connections/c1', [200, connection({ version: 5 })]);
    await userEvent.click(button('Save my changes on top'));
    await waitFor(() =>
      expect(hub.last('PATCH /connections/c1').headers.get('If-Match')).toBe('"4"'),
    );
    expect(hub.last('PATCH /connections/c1').body).toEqual({ settings: { host: '192.0.2.50' } });
  });

  it('takes theirs when told to', async () => {
    hub.on('PATCH /connections/c1', [412, { code: 'version_conflict', status: 412 }]);
    await openLive('/connections/c1/settings');
    await userEvent.type(await screen.findByLabelText(/^Host/), '0');
    hub.on('GET /connections/c1', [
      200,
      connection({ version: 4, settings: { host: '192.0.2.99', port: 502 } }),
    ]);
    await userEvent.click(button('Save changes'));
    await userEvent.click(await screen.findByRole('button', { name: /Take theirs/ }));
    await waitFor(() => expect(screen.getByLabelText(/^Host/)).toHaveValue('192.0.2.99'));
  });

  it('says that the hub is gone, keeps what was typed, and works once it is back', async () => {
    await openLive('/connections/c1/settings');
    await userEvent.type(await screen.findByLabelText(/^Host/), '0');
    const answering = globalThis.fetch;
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
    await userEvent.click(button('Save changes'));
    expect(await screen.findByRole('alert')).toHaveTextContent('The hub does not answer');
    vi.stubGlobal('fetch', answering);
    hub.on('PATCH /connections/c1', [200, connection({ version: 4 })]);
    await userEvent.click(button('Save changes'));
    await waitFor(() =>
      expect(hub.last('PATCH /connections/c1').body).toEqual({
        settings: { host: '192.0.2.100' },
      }),
    );
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
  const certificate = {
    id: 'ab'.repeat(32),
    state: 'rejected',
    subject: 'CN=mes.plant',
    issuer: 'CN=mes.plant',
    names: ['mes.plant', '192.0.2.10'],
    notBefore: '2026-01-01T00:00:00Z',
    notAfter: '2027-01-01T00:00:00Z',
    daysLeft: 40,
    sha256: 'AB:CD:EF',
    lastSeenAt: '2026-11-22T10:05:00Z',
    reason: { code: 'self_signed', message: 'Nobody vouches for it.' },
    decision: null,
    usedBy: [{ connectionId: 'c1', connectionName: 'Filler', role: 'server' }],
    pem: 'PEM',
  };

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
