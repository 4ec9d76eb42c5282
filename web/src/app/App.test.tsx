import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { connection, type FakeHub, hubFunction, page } from '@/shared/testing/fake-hub';
import type { fakeLive } from '@/shared/testing/fake-socket';
import { me, startApp } from './testing/start-app';

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
let open: (path: string) => unknown;
let openLive: (path: string) => Promise<unknown>;

beforeEach(() => {
  ({ hub, live, open, openLive } = startApp());
  return () => vi.unstubAllGlobals();
});

describe('first start', () => {
  beforeEach(() => {
    hub.on('GET /auth/me', unauthorized).on('GET /auth/state', [200, { needsSetup: true }]);
  });

  it('takes the code from the link, makes the administrator and goes on to the first steps', async () => {
    hub.on('POST /auth/setup', [201, me]);
    open('/setup#code=7F3K-Q2MD');
    expect(await screen.findByLabelText('Setup code')).toHaveValue('7F3K-Q2MD');
    await userEvent.type(screen.getByLabelText('User name'), 'ada');
    await userEvent.type(screen.getByLabelText('Password'), 'correct horse battery');
    await userEvent.click(screen.getByRole('button', { name: 'Create administrator' }));
    expect(await screen.findByRole('heading', { name: 'First steps' })).toBeInTheDocument();
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
    await userEvent.type(await screen.findByLabelText(/^Host/), '192.0.2.10');
    await userEvent.click(screen.getByRole('button', { name: 'Save without testing' }));
    await userEvent.click(await screen.findByRole('button', { name: 'Save connection' }));
    const dialog = await screen.findByRole('dialog', { name: 'Sign in' });
    expect(within(dialog).getByLabelText('User name')).toHaveValue('ada');
    expect(screen.getByDisplayValue('Modbus 192.0.2.10:502')).toBeInTheDocument();
    await userEvent.type(within(dialog).getByLabelText('Password'), 'correct horse battery');
    await userEvent.click(within(dialog).getByRole('button', { name: 'Sign in' }));
    await waitFor(() => expect(location.pathname).toBe('/connections/c1/functions/new'));
    expect(hub.last('POST /connections').body).toMatchObject({
      name: 'Modbus 192.0.2.10:502',
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
    await userEvent.type(await screen.findByLabelText(/^Host/), '192.0.2.10');
    await userEvent.click(screen.getByRole('button', { name: 'Save without testing' }));
    await userEvent.click(await screen.findByRole('button', { name: 'Save connection' }));
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
    await userEvent.type(within(dialog).getByLabelText(/^speed/), '1500');
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
      description: '',
      enabled: true,
      settings: { address: '((start))' },
    });
  });
});

describe('tokens', () => {
  it('are shown once when made', async () => {
    hub
      .on('GET /users', [200, page()])
      .on('GET /tokens', [200, page()])
      .on('POST /tokens', [
        201,
        { name: 'grafana', role: 'admin', expiresAt: null, token: 'trb_secret' },
      ]);
    await openLive('/settings/access');
    await userEvent.click(await screen.findByRole('button', { name: 'Create token' }));
    const dialog = await screen.findByRole('dialog');
    await userEvent.type(within(dialog).getByLabelText('Name'), 'grafana');
    await userEvent.click(within(dialog).getByRole('button', { name: 'Create token' }));
    expect(await screen.findByText('trb_secret')).toBeInTheDocument();
    await userEvent.click(screen.getByRole('button', { name: 'I have copied it' }));
    await waitFor(() => expect(screen.queryByText('trb_secret')).toBeNull());
  });
});
