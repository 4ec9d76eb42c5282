import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { connection, type FakeHub, page } from '@/shared/testing/fake-hub';
import { passedTest, refusedTest, untrustedTest } from './testing/diagnoses';
import { startApp } from './testing/start-app';

let hub: FakeHub;
let openLive: (path: string) => Promise<unknown>;

beforeEach(() => {
  ({ hub, openLive } = startApp());
  return () => vi.unstubAllGlobals();
});

const button = (name: string) => screen.getByRole('button', { name });

describe('making a connection', () => {
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

  it('lets a person decide about a certificate before anything is saved, and tests again', async () => {
    const { certificate } = untrustedTest;
    let trusted = false;
    hub
      .on('POST /connections/test', () => [200, trusted ? passedTest : untrustedTest])
      .on('GET /certificates', [200, page(certificate)])
      .on(`POST /certificates/${certificate.id}/trust`, () => {
        trusted = true;
        return [200, { ...certificate, state: 'trusted' }];
      });
    await upToTest('192.0.2.10');
    await userEvent.click(await screen.findByRole('button', { name: 'Look at the certificate' }));
    const dialog = await screen.findByRole('dialog', { name: 'Certificate of 192.0.2.10:502' });
    for (const fact of ['CN=mes.plant', 'mes.plant, 192.0.2.10', 'AB:CD:EF'])
      expect(within(dialog).getByText(fact)).toBeInTheDocument();
    expect(within(dialog).getByText(/Nobody vouches for it/)).toBeInTheDocument();
    expect(within(dialog).getByText(/shows the server no certificate of ours/)).toBeInTheDocument();
    const trust = within(dialog).getByRole('button', { name: 'Trust this certificate' });
    expect(trust).toBeDisabled();
    await userEvent.click(within(dialog).getByRole('checkbox'));
    await userEvent.click(trust);
    expect(await screen.findByText('Everything answers.')).toBeInTheDocument();
    expect(screen.queryByRole('dialog')).toBeNull();
    const asked = hub.asked.filter(({ path }) => path === '/connections/test');
    expect(asked).toHaveLength(2);
    expect(asked[1]?.body).toEqual(asked[0]?.body);
    expect(screen.getByRole('button', { name: 'Next' })).toBeInTheDocument();
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
});

describe('changing a connection', () => {
  beforeEach(() => {
    const version = (number: number, changedSecrets: string[]) => ({
      version: number,
      at: '2026-11-22T10:00:00Z',
      actor: 'ada',
      changedSecrets,
      document: {},
    });
    hub.on('GET /connections/c1/versions', [
      200,
      page(version(3, ['password']), version(2, []), version(1, [])),
    ]);
  });

  it('offers no decision about a certificate that was met with other settings', async () => {
    hub.on('POST /connections/test', [200, untrustedTest]);
    await openLive('/connections/c1/settings');
    const host = await screen.findByLabelText(/^Host/);
    await userEvent.click(button('Test connection'));
    await screen.findByRole('button', { name: 'Look at the certificate' });
    await userEvent.type(host, '1');
    expect(screen.getByText('The settings have changed since this test.')).toBeInTheDocument();
    expect(screen.queryByRole('button', { name: 'Look at the certificate' })).toBeNull();
  });

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

  it('shows what a version changed, and brings an old one back', async () => {
    hub
      .on('GET /connections/c1/versions/2/diff/3', [
        200,
        {
          from: '2',
          to: '3',
          same: false,
          members: [{ pointer: '/settings/port', from: 102, to: 502 }],
        },
      ])
      .on('POST /connections/c1/versions/1/restore', [
        200,
        connection({ version: 4, settings: { host: '192.0.2.1' } }),
      ]);
    await openLive('/connections/c1/settings');
    expect(await screen.findByText('secrets changed: password')).toBeInTheDocument();
    await userEvent.click(button('Compare version 3 with the one before'));
    expect(await screen.findByText('/settings/port')).toBeInTheDocument();
    await userEvent.click(button('Roll back to 1'));
    const dialog = await screen.findByRole('dialog');
    await userEvent.click(within(dialog).getByRole('button', { name: 'Roll back to 1' }));
    await waitFor(() => expect(screen.getByLabelText(/^Host/)).toHaveValue('192.0.2.1'));
    expect(hub.last('POST /connections/c1/versions/1/restore').headers.get('If-Match')).toBe('"3"');
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
