import { act, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import {
  connection,
  connector,
  FakeHub,
  hubFunction,
  page,
  state,
} from '@/shared/testing/fake-hub';
import { fakeLive } from '@/shared/testing/fake-socket';
import { App } from './App';

const me = { name: 'ada', role: 'admin', via: 'session' };
const unauthorized: [number, object] = [
  401,
  {
    type: '/problems/not-authenticated',
    title: 'Sign in first.',
    status: 401,
    code: 'not_authenticated',
    correlationId: 'x1',
  },
];

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

beforeEach(() => {
  live = fakeLive();
  hub = new FakeHub()
    .on('GET /auth/me', [200, me])
    .on('GET /connections', [200, page(connection())])
    .on('GET /connections/c1', [200, connection()])
    .on('GET /connections/c1/functions', [200, page(hubFunction())])
    .on('GET /connectors', [200, page(connector)])
    .on('GET /connectors/modbus', [200, connector]);
  return () => vi.unstubAllGlobals();
});

function open(path: string) {
  history.replaceState(null, '', path);
  return render(<App makeLive={() => live.client} />);
}

/** The page is there and its live line is open. */
async function openLive(path: string) {
  const view = open(path);
  await waitFor(() => expect(live.sockets.length).toBeGreaterThan(0));
  act(() => live.socket.open());
  return view;
}

describe('first start', () => {
  beforeEach(() => {
    hub.on('GET /auth/me', unauthorized).on('GET /auth/state', [200, { needsSetup: true }]);
  });

  it('takes the code from the link, makes the administrator and goes on to the connections', async () => {
    hub.on('POST /auth/setup', [201, me]);
    open('/setup#code=7F3K-Q2MD');
    expect(await screen.findByLabelText('Setup code')).toHaveValue('7F3K-Q2MD');
    await userEvent.type(screen.getByLabelText('User name'), 'ada');
    await userEvent.type(screen.getByLabelText('Password'), 'correct horse battery');
    await userEvent.click(screen.getByRole('button', { name: 'Create administrator' }));
    expect(await screen.findByRole('heading', { name: 'Connections' })).toBeInTheDocument();
    const { body, headers } = hub.last('POST /auth/setup');
    expect(body).toEqual({ code: '7F3K-Q2MD', username: 'ada', password: 'correct horse battery' });
    expect(headers.get('X-Requested-With')).toBe('tributary');
    expect(location.href).not.toContain('7F3K');
  });

  it('asks for nothing while the password is too short, and says how much is missing', async () => {
    open('/setup');
    await userEvent.type(await screen.findByLabelText('Setup code'), '7f3k-q2md');
    await userEvent.type(screen.getByLabelText('User name'), 'ada');
    await userEvent.type(screen.getByLabelText('Password'), 'short');
    await userEvent.click(screen.getByRole('button', { name: 'Create administrator' }));
    expect(screen.getByText('At least 12 characters; 7 more.')).toBeInTheDocument();
    expect(hub.asked.some((one) => one.path === '/auth/setup')).toBe(false);
  });

  it('says what the hub says when the code is wrong', async () => {
    hub.on('POST /auth/setup', [
      403,
      {
        title: 'This is not the code that the hub printed.',
        code: 'setup_code_wrong',
        status: 403,
      },
    ]);
    open('/setup#code=AAAA-BBBB');
    await userEvent.type(await screen.findByLabelText('User name'), 'ada');
    await userEvent.type(screen.getByLabelText('Password'), 'correct horse battery');
    await userEvent.click(screen.getByRole('button', { name: 'Create administrator' }));
    expect(await screen.findByRole('alert')).toHaveTextContent(
      'This is not the code that the hub printed.',
    );
  });
});

describe('signing in and out', () => {
  it('signs in where one was, and out again', async () => {
    hub
      .on('GET /auth/me', unauthorized)
      .on('GET /auth/state', [200, { needsSetup: false }])
      .on('POST /auth/login', [200, me])
      .on('POST /auth/logout', [204])
      .on('GET /pipelines', [200, page()]);
    open('/pipelines');
    await userEvent.type(await screen.findByLabelText('User name'), 'ada');
    await userEvent.type(screen.getByLabelText('Password'), 'correct horse battery');
    await userEvent.click(screen.getByRole('button', { name: 'Sign in' }));
    expect(await screen.findByRole('heading', { name: 'Pipelines' })).toBeInTheDocument();
    await userEvent.click(screen.getByRole('button', { name: 'Sign out' }));
    expect(await screen.findByRole('heading', { name: 'Sign in' })).toBeInTheDocument();
  });

  it('asks to sign in again when the hub ends the session', async () => {
    hub.on('GET /auth/state', [200, { needsSetup: false }]);
    await openLive('/connections');
    act(() => live.socket.drop(4401));
    expect(await screen.findByText(/The session has ended/)).toBeInTheDocument();
  });

  it('keeps what was typed when the session ends, and sends it after signing in', async () => {
    hub
      .on('GET /auth/state', [200, { needsSetup: false }])
      .on('POST /connections', unauthorized)
      .on('POST /auth/login', () => {
        hub.on('POST /connections', [201, connection()]);
        return [200, me];
      });
    await openLive('/connections/new/modbus');
    await userEvent.type(await screen.findByRole('textbox', { name: /^Name/ }), 'Filler');
    await userEvent.type(screen.getByLabelText(/^Host/), '192.0.2.10');
    await userEvent.click(screen.getByRole('button', { name: 'Save connection' }));
    const dialog = await screen.findByRole('dialog', { name: 'Sign in' });
    expect(within(dialog).getByLabelText('User name')).toHaveValue('ada');
    expect(screen.getByLabelText(/^Host/)).toHaveValue('192.0.2.10');
    await userEvent.type(within(dialog).getByLabelText('Password'), 'correct horse battery');
    await userEvent.click(within(dialog).getByRole('button', { name: 'Sign in' }));
    await waitFor(() => expect(location.pathname).toBe('/connections/c1/functions/new'));
    expect(hub.last('POST /connections').body).toMatchObject({
      name: 'Filler',
      settings: { host: '192.0.2.10' },
    });
    expect(screen.queryByRole('dialog', { name: 'Sign in' })).toBeNull();
  });

  it('shows somebody else nothing of the person before', async () => {
    hub
      .on('GET /auth/state', [200, { needsSetup: false }])
      .on('POST /connections', unauthorized)
      .on('POST /auth/login', [200, { ...me, name: 'bob' }]);
    await openLive('/connections/new/modbus');
    await userEvent.type(await screen.findByRole('textbox', { name: /^Name/ }), 'Filler');
    await userEvent.type(screen.getByLabelText(/^Host/), '192.0.2.10');
    await userEvent.click(screen.getByRole('button', { name: 'Save connection' }));
    const dialog = await screen.findByRole('dialog', { name: 'Sign in' });
    await userEvent.clear(within(dialog).getByLabelText('User name'));
    await userEvent.type(within(dialog).getByLabelText('User name'), 'bob');
    await userEvent.type(within(dialog).getByLabelText('Password'), 'correct horse battery');
    await userEvent.click(within(dialog).getByRole('button', { name: 'Sign in' }));
    await waitFor(() => expect(screen.getByLabelText(/^Host/)).toHaveValue(''));
    const sent = hub.asked.filter((one) => one.method === 'POST' && one.path === '/connections');
    expect(sent).toHaveLength(1);
  });
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
    expect(within(row).getByText('192.0.2.10:502 refused the connection')).toBeInTheDocument();
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
    hub.on('POST /connections/c1/suspend', [200, suspended]);
    await openLive('/connections/c1/functions');
    await userEvent.click(await screen.findByRole('button', { name: 'Suspend' }));
    const dialog = await screen.findByRole('dialog');
    expect(within(dialog).getByText('Watch filler')).toBeInTheDocument();
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

describe('making a connection', () => {
  it('tests the unsaved draft stage by stage and leads to the field', async () => {
    hub.on('POST /connections/test', [
      200,
      {
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
      },
    ]);
    await openLive('/connections/new/modbus');
    await userEvent.type(await screen.findByLabelText(/^Host/), '192.0.2.9');
    await userEvent.click(screen.getByRole('button', { name: 'Test connection' }));
    expect(await screen.findByText('Stopped at “Reach the port”.')).toBeInTheDocument();
    expect(screen.getByText('Cannot connect')).toBeInTheDocument();
    await userEvent.click(screen.getByRole('button', { name: 'Go to the field' }));
    expect(screen.getByLabelText(/^Host/)).toHaveFocus();
  });

  it('saves with secrets apart from settings', async () => {
    hub.on('POST /connections', [201, connection()]);
    await openLive('/connections/new/modbus');
    await userEvent.type(await screen.findByRole('textbox', { name: /^Name/ }), 'Filler');
    await userEvent.type(screen.getByLabelText(/^Host/), '192.0.2.10');
    await userEvent.type(screen.getByLabelText('Password'), 'geheim');
    fireEvent.click(screen.getByRole('button', { name: 'Save connection' }));
    await waitFor(() => expect(location.pathname).toBe('/connections/c1/functions/new'));
    expect(hub.last('POST /connections').body).toMatchObject({
      name: 'Filler',
      type: 'modbus',
      settings: { host: '192.0.2.10', port: 502 },
      secrets: { password: 'geheim' },
      autostart: true,
    });
  });

  it('shows the refusals of the hub at their fields', async () => {
    hub.on('POST /connections', [
      422,
      {
        title: 'The settings are not valid',
        code: 'invalid_settings',
        status: 422,
        errors: [
          { pointer: '/settings/host', code: 'format', message: 'This name has a space in it' },
          { pointer: '/name', code: 'taken', message: 'Another connection has this name' },
        ],
      },
    ]);
    await openLive('/connections/new/modbus');
    await userEvent.type(await screen.findByRole('textbox', { name: /^Name/ }), 'Filler');
    await userEvent.type(screen.getByLabelText(/^Host/), 'a b');
    await userEvent.click(screen.getByRole('button', { name: 'Save connection' }));
    expect(await screen.findByText('This name has a space in it')).toBeInTheDocument();
    expect(screen.getByText('Another connection has this name')).toBeInTheDocument();
  });

  it('edits with If-Match and names what was taken away with null', async () => {
    hub
      .on('GET /connections/c1', [
        200,
        connection({ secrets: { password: { set: true, changedAt: null } } }),
      ])
      .on('PATCH /connections/c1', [200, connection({ version: 4 })]);
    await openLive('/connections/c1/edit');
    await userEvent.clear(await screen.findByLabelText(/^Labels/));
    await userEvent.clear(screen.getByLabelText(/^Port/));
    await userEvent.click(screen.getByRole('button', { name: 'Save changes' }));
    await waitFor(() => expect(hub.asked.some((one) => one.method === 'PATCH')).toBe(true));
    const { body, headers } = hub.last('PATCH /connections/c1');
    expect(headers.get('If-Match')).toBe('"3"');
    expect(body).toMatchObject({
      labels: { line: null },
      settings: { host: '192.0.2.10', port: null },
      secrets: {},
    });
  });
});

describe('functions', () => {
  it('run with parameters and show what came back', async () => {
    hub
      .on('GET /connections/c1/functions', [
        200,
        page(
          hubFunction({
            id: 'f2',
            name: 'Set speed',
            kind: 'write',
            type: 'modbus.write',
            parameters: ['speed'],
            subscription: null,
          }),
        ),
      ])
      .on('POST /functions/f2/execute', [
        200,
        {
          success: true,
          functionId: 'f2',
          durationMs: 3.4,
          timestamp: '2026-11-22T10:00:00Z',
          data: {
            samples: [
              {
                point: 'speed',
                value: 1500,
                quality: 'good',
                sourceTime: null,
                receiveTime: '2026-11-22T10:00:00Z',
              },
            ],
          },
        },
      ]);
    await openLive('/connections/c1/functions');
    await userEvent.click(await screen.findByRole('button', { name: 'Execute' }));
    const dialog = await screen.findByRole('dialog');
    await userEvent.type(within(dialog).getByLabelText('speed'), '1500');
    await userEvent.click(within(dialog).getByRole('button', { name: 'Run' }));
    expect(await within(dialog).findByText('Answered in 3 ms')).toBeInTheDocument();
    expect(hub.last('POST /functions/f2/execute').body).toEqual({ parameters: { speed: 1500 } });
  });

  it('say that a cut write may have happened', async () => {
    hub
      .on('GET /connections/c1/functions', [
        200,
        page(hubFunction({ id: 'f2', kind: 'write', subscription: null })),
      ])
      .on('POST /functions/f2/execute', [
        200,
        {
          success: false,
          functionId: 'f2',
          durationMs: 900,
          timestamp: '2026-11-22T10:00:00Z',
          data: null,
          error: {
            class: 'Transient',
            code: 'lost',
            message: 'The connection was lost.',
            outcomeUnknown: true,
          },
        },
      ]);
    await openLive('/connections/c1/functions');
    await userEvent.click(await screen.findByRole('button', { name: 'Execute' }));
    await userEvent.click(await screen.findByRole('button', { name: 'Run' }));
    expect(await screen.findByText(/it may or may not have happened/)).toBeInTheDocument();
  });

  it('are made from the schema of their type', async () => {
    hub.on('POST /connections/c1/functions', [201, hubFunction({ kind: 'read' })]);
    await openLive('/connections/c1/functions/new');
    await userEvent.click(await screen.findByRole('button', { name: /Read registers/ }));
    await userEvent.type(await screen.findByRole('textbox', { name: /^Name/ }), 'Read filler');
    fireEvent.change(screen.getByLabelText(/^Address/), { target: { value: '((start))' } });
    await userEvent.click(screen.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(location.pathname).toBe('/connections/c1/functions'));
    expect(hub.last('POST /connections/c1/functions').body).toEqual({
      name: 'Read filler',
      type: 'modbus.read',
      enabled: true,
      settings: { address: '((start))' },
    });
  });
});

describe('tokens', () => {
  it('are shown once when made', async () => {
    hub
      .on('GET /system', [
        200,
        {
          version: '0.1.0',
          apiVersion: '1',
          startedAt: '2026-11-22T10:00:00Z',
          uptimeSeconds: 60,
          bootId: 'b',
          uncleanStart: false,
          connectors: ['modbus'],
          connections: 1,
          pipelines: 0,
        },
      ])
      .on('GET /tokens', [200, page()])
      .on('POST /tokens', [
        201,
        { name: 'grafana', role: 'admin', expiresAt: null, token: 'trb_secret' },
      ]);
    await openLive('/system');
    await userEvent.click(await screen.findByRole('button', { name: 'Create token' }));
    const dialog = await screen.findByRole('dialog');
    await userEvent.type(within(dialog).getByLabelText('Name'), 'grafana');
    await userEvent.click(within(dialog).getByRole('button', { name: 'Create token' }));
    expect(await screen.findByText('trb_secret')).toBeInTheDocument();
    await userEvent.click(screen.getByRole('button', { name: 'I have copied it' }));
    await waitFor(() => expect(screen.queryByText('trb_secret')).toBeNull());
  });
});
