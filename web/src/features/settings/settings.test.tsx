import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import type { ReactElement } from 'react';
import { MemoryRouter } from 'react-router';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Schemas } from '@/shared/api';
import { connection, FakeHub, page } from '@/shared/testing/fake-hub';
import { renderUi } from '@/shared/testing/render';
import AuditTab from './AuditTab';
import CertificatesTab from './CertificatesTab';
import { LogPanel } from './LogPanel';
import SecretsTab from './SecretsTab';
import SystemTab from './SystemTab';

let hub: FakeHub;
beforeEach(() => {
  hub = new FakeHub();
});

function open(element: ReactElement, at = '/') {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return renderUi(
    <MemoryRouter initialEntries={[at]}>
      <QueryClientProvider client={client}>{element}</QueryClientProvider>
    </MemoryRouter>,
  );
}

const refused = { title: 'Refused', status: 500, code: 'internal_error', detail: 'It broke.' };

function certificate(more: Partial<Schemas['Certificate']>): Schemas['Certificate'] {
  return {
    id: 'ab',
    state: 'rejected',
    subject: 'CN=plc',
    issuer: 'CN=plc',
    names: ['plc.example'],
    notBefore: '2026-01-01T00:00:00Z',
    notAfter: '2027-01-01T00:00:00Z',
    daysLeft: 36,
    sha256: 'AB:CD',
    lastSeenAt: '2026-11-22T10:00:00Z',
    reason: { code: 'self_signed', message: 'Nobody known has signed it.' },
    decision: null,
    usedBy: [{ connectionId: 'c1', connectionName: 'Filler', role: 'server' }],
    pem: 'PEM',
    ...more,
  };
}

describe('certificates', () => {
  it('are in one grid, refused ones first, and only those that a person decides about can be removed', async () => {
    hub.on('GET /certificates', [
      200,
      page(
        certificate({ id: 'o', state: 'own', subject: 'CN=hub', reason: null }),
        certificate({ id: 't', state: 'trusted', subject: 'CN=ca', reason: null }),
        certificate({}),
      ),
    ]);
    open(<CertificatesTab />);
    await screen.findByText('Nobody known has signed it.');
    const rows = screen.getAllByRole('row').slice(1);
    expect(rows.map((row) => within(row).getAllByRole('cell')[0]?.textContent)).toEqual([
      'Rejected',
      'Trusted',
      'Own',
    ]);
    expect(screen.queryByRole('button', { name: 'Remove: CN=hub' })).toBeNull();
    expect(screen.queryByRole('button', { name: 'Remove: CN=ca' })).toBeNull();
    await userEvent.click(screen.getByRole('button', { name: 'Own 1' }));
    expect(screen.getAllByRole('row')).toHaveLength(2);
  });

  it('are trusted after a look at the fingerprint; a refusal is told in the dialog', async () => {
    hub
      .on('GET /certificates', [200, page(certificate({}))])
      .on('POST /certificates/ab/trust', [500, refused]);
    open(<CertificatesTab />);
    await userEvent.click(await screen.findByRole('button', { name: 'Trust: CN=plc' }));
    const dialog = await screen.findByRole('dialog');
    expect(within(dialog).getByText('AB:CD')).toBeInTheDocument();
    await userEvent.click(within(dialog).getByRole('button', { name: 'Trust' }));
    expect(await within(dialog).findByText('It broke.')).toBeInTheDocument();
    hub.on('POST /certificates/ab/trust', [200, {}]);
    hub.on('GET /certificates', [200, page(certificate({ state: 'trusted', reason: null }))]);
    await userEvent.click(within(dialog).getByRole('button', { name: 'Trust' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    expect(await within(screen.getByRole('table')).findByText('Trusted')).toBeInTheDocument();
  });

  it('say with a word and an icon that they are about to expire', async () => {
    hub.on('GET /certificates', [
      200,
      page(certificate({ daysLeft: 5 }), certificate({ id: 'x', subject: 'CN=x', daysLeft: -2 })),
    ]);
    open(<CertificatesTab />);
    expect(await screen.findByText('5 days left')).toBeInTheDocument();
    expect(screen.getByText('expired')).toBeInTheDocument();
  });
});

describe('secrets', () => {
  const secret = (more: Partial<Schemas['SecretItem']>): Schemas['SecretItem'] => ({
    name: 'password',
    set: true,
    changedAt: '2026-11-22T10:00:00Z',
    source: 'stored',
    problem: null,
    usedBy: { kind: 'connection', id: 'c1', name: 'Filler' },
    ...more,
  });

  it('say whether they are set, where they stand, and why they cannot be had', async () => {
    hub.on('GET /secrets', [
      200,
      page(
        secret({}),
        secret({ name: 'key', set: false, changedAt: null, source: null }),
        secret({ name: 'pin', source: 'file', problem: 'The file is not there.' }),
      ),
    ]);
    open(<SecretsTab />);
    expect(await screen.findByText('Set')).toBeInTheDocument();
    expect(screen.getByText('Not set')).toBeInTheDocument();
    expect(screen.getByText('The file is not there.')).toBeInTheDocument();
    expect(screen.getByText('In a file')).toBeInTheDocument();
    expect(screen.getAllByRole('link', { name: 'Filler' })[0]).toHaveAttribute(
      'href',
      '/connections/c1/edit',
    );
  });

  it('are searched by the hub and come page by page', async () => {
    hub.on('GET /secrets', ({ query }) =>
      query.get('cursor')
        ? [200, page(secret({ name: 'second' }))]
        : [200, { items: [secret({ name: 'first' })], next: 'more' }],
    );
    open(<SecretsTab />);
    await screen.findByText('first');
    await userEvent.click(screen.getByRole('button', { name: 'Show more' }));
    await screen.findByText('second');
    await userEvent.click(screen.getByLabelText('Only what is not set'));
    await waitFor(() => expect(hub.last('GET /secrets').query.get('set')).toBe('false'));
    await userEvent.type(screen.getByLabelText('Filter by name or by what uses it'), 'fil');
    await waitFor(() => expect(hub.last('GET /secrets').query.get('name')).toBe('fil'));
  });
});

describe('the audit', () => {
  const entry = (more: Partial<Schemas['AuditEntry']>): Schemas['AuditEntry'] => ({
    seq: 1,
    at: '2026-11-22T10:00:00Z',
    actor: 'anna',
    action: 'connection.suspend',
    target: 'c1',
    detail: { reason: 'valve', result: 'done' },
    ...more,
  });
  beforeEach(() => {
    hub.on('GET /connections', [200, page(connection({}))]);
  });

  it('names what it was about, tells a refusal, and shows the rest on demand', async () => {
    hub.on('GET /audit', [
      200,
      page(
        entry({}),
        entry({ seq: 2, action: 'auth.login_refused', target: 'bob', detail: {} }),
        entry({
          seq: 3,
          action: 'pipeline.delete',
          target: 'p1',
          detail: { name: 'gone', result: 'done' },
        }),
      ),
    ]);
    open(<AuditTab />);
    expect(await screen.findByRole('link', { name: 'Filler' })).toHaveAttribute(
      'href',
      '/connections/c1',
    );
    expect(screen.getByText('Refused')).toBeInTheDocument();
    expect(screen.getByText('gone')).toBeInTheDocument();
    expect(screen.queryByRole('link', { name: 'gone' })).toBeNull();
    await userEvent.click(screen.getByRole('button', { name: 'Details of connection.suspend' }));
    expect(screen.getByText(/"reason": "valve"/)).toBeInTheDocument();
  });

  it('is searched by the hub with what stands in the address', async () => {
    hub.on('GET /audit', [200, page()]);
    open(<AuditTab />, '/?q=filler&about=connection&period=day');
    expect(await screen.findByText('No row matches.')).toBeInTheDocument();
    const { query } = hub.last('GET /audit');
    expect(query.get('q')).toBe('filler');
    expect(query.get('action')).toBe('connection');
    expect(Date.now() - Date.parse(query.get('from') ?? '')).toBeGreaterThan(86_000_000);
    await userEvent.click(screen.getByRole('button', { name: 'Show all' }));
    await waitFor(() => expect(hub.last('GET /audit').query.get('q')).toBeNull());
    expect(await screen.findByText('Nothing was done yet')).toBeInTheDocument();
  });
});

describe('the log', () => {
  const levels: Schemas['LogLevels'] = {
    version: 4,
    level: 'info',
    components: { connect: 'debug' },
    known: ['api', 'connect'],
  };

  it('is changed at once, under the version that was seen', async () => {
    hub
      .on('GET /system/log', [200, levels])
      .on('PUT /system/log', ({ body }) => [200, { ...levels, ...(body as object), version: 5 }]);
    open(<LogPanel />);
    await userEvent.selectOptions(await screen.findByLabelText('Level of everything'), 'Warning');
    await waitFor(() =>
      expect(hub.last('PUT /system/log').body).toEqual({
        level: 'warning',
        components: { connect: 'debug' },
      }),
    );
    expect(hub.last('PUT /system/log').headers.get('If-Match')).toBe('"4"');
    await userEvent.selectOptions(screen.getByLabelText('Another level for…'), 'api');
    expect(await screen.findByLabelText('Level of api')).toHaveValue('debug');
    expect(hub.last('PUT /system/log').headers.get('If-Match')).toBe('"5"');
    await userEvent.click(screen.getByRole('button', { name: 'As everything: connect' }));
    await waitFor(() => expect(screen.queryByLabelText('Level of connect')).toBeNull());
  });
});

describe('the system', () => {
  it('tells how the hub is, and warns of a disk that gets full', async () => {
    hub.on('GET /system/log', [500, refused]).on('GET /system', [
      200,
      {
        version: '0.9.0',
        apiVersion: 'v1',
        build: { compiler: 'GCC 12', type: 'release' },
        startedAt: '2026-11-22T10:00:00Z',
        uptimeSeconds: 3600,
        bootId: 'b',
        uncleanStart: true,
        connectors: ['modbus'],
        connections: 3,
        pipelines: 2,
        machine: {
          operatingSystem: 'Debian',
          kernel: '6.1',
          architecture: 'x86_64',
          processors: 2,
        },
        process: { residentBytes: 61_000_000, openDescriptors: 40, threads: 9, cpuSeconds: 12 },
        storage: {
          dataDirectory: '/data',
          storeBytes: 1_500_000,
          spoolBytes: 4096,
          otherBytes: 10,
          freeBytes: 5_000_000_000,
          totalBytes: 100_000_000_000,
        },
        spool: { records: 1, bytes: 512, oldestAt: null, deadLetters: 7, lost: 0 },
        eventLoops: [
          { name: 'control', lagMs: 0.123 },
          { name: 'worker-0', lagMs: null },
        ],
      } satisfies Schemas['System'],
    ]);
    open(<SystemTab />);
    expect(await screen.findByText('0.9.0')).toBeInTheDocument();
    expect(screen.getByText('61 MB')).toBeInTheDocument();
    expect(screen.getByText('1 record, 512 B')).toBeInTheDocument();
    expect(
      screen.getByText('control: 0.12 ms · worker-0: no answer within a second'),
    ).toBeInTheDocument();
    expect(screen.getByText(/Less than a tenth of the disk/)).toBeInTheDocument();
    expect(screen.getByText(/ended without a clean stop/)).toBeInTheDocument();
    expect(await screen.findByText('It broke.'), 'of the log alone').toBeInTheDocument();
  });
});
