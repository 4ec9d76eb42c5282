import { vi } from 'vitest';
import type { Schemas } from '@/shared/api';

export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
  headers: Headers;
}

type Reply = [status: number, body?: unknown];
type Handler = (asked: Asked) => Reply;

/** Answers fetch in the hub's place. Unknown addresses are an error of the test, told in its words. */
export class FakeHub {
  readonly asked: Asked[] = [];
  readonly #handlers = new Map<string, Handler>();

  constructor() {
    vi.stubGlobal('fetch', async (input: Request) => {
      const url = new URL(input.url);
      const path = url.pathname.replace('/api/v1', '');
      const text = await input.text();
      const asked = {
        method: input.method,
        path,
        query: url.searchParams,
        body: text ? JSON.parse(text) : undefined,
        headers: input.headers,
      };
      this.asked.push(asked);
      const handler = this.#handlers.get(`${input.method} ${path}`);
      const [status, body] = handler
        ? handler(asked)
        : [
            501,
            {
              title: `The test has no answer for ${input.method} ${path}`,
              code: 'no_answer',
              status: 501,
            },
          ];
      const type = status < 400 ? 'application/json' : 'application/problem+json';
      return new Response(body === undefined ? null : JSON.stringify(body), {
        status,
        headers: { 'Content-Type': type },
      });
    });
  }

  on(request: string, reply: Reply | Handler): this {
    this.#handlers.set(request, typeof reply === 'function' ? reply : () => reply);
    return this;
  }

  last(request: string): Asked {
    const found = this.asked.filter((one) => `${one.method} ${one.path}` === request).at(-1);
    if (!found) throw new Error(`${request} was not asked`);
    return found;
  }
}

export const page = <T>(...items: T[]) => ({ items, next: null });

export function state(
  status: Schemas['Status'],
  more: Partial<Schemas['State']> = {},
): Schemas['State'] {
  return {
    status,
    since: '2026-11-22T10:00:00Z',
    epoch: 1,
    attempt: 0,
    cause: null,
    nextAttemptAt: null,
    degraded: null,
    breaker: { state: 'closed', consecutiveFailures: 0, openUntil: null },
    suspension: null,
    ...more,
  };
}

export function connection(more: Partial<Schemas['Connection']> = {}): Schemas['Connection'] {
  return {
    id: 'c1',
    version: 3,
    name: 'Filler',
    type: 'modbus',
    description: '',
    labels: { line: '3' },
    settings: { host: '192.0.2.10', port: 502 },
    secrets: {},
    autostart: true,
    reconnect: {},
    intent: 'running',
    createdAt: '2026-11-22T09:00:00Z',
    updatedAt: '2026-11-22T09:00:00Z',
    state: state('Connected'),
    ...more,
  };
}

export function hubFunction(more: Partial<Schemas['Function']> = {}): Schemas['Function'] {
  return {
    id: 'f1',
    version: 1,
    connectionId: 'c1',
    name: 'Watch filler',
    type: 'modbus.subscribe',
    kind: 'subscribe',
    description: '',
    settings: { points: [{ name: 'speed', address: 0 }], intervalMs: 250 },
    enabled: true,
    idempotent: false,
    freshness: { expectMs: 0 },
    parameters: [],
    breaker: { state: 'closed', consecutiveFailures: 0, openUntil: null },
    subscription: {
      status: 'active',
      samples: 12,
      overruns: 0,
      error: null,
      restored: true,
      lastValueAt: '2026-11-22T09:00:00Z',
      expectedMs: 5000,
    },
    createdAt: '2026-11-22T09:00:00Z',
    updatedAt: '2026-11-22T09:00:00Z',
    ...more,
  };
}

export const connector: Schemas['Connector'] = {
  type: 'modbus',
  title: 'Modbus',
  summary: 'Registers and coils.',
  category: 'Industrial',
  family: 'fieldDevice',
  capabilities: ['read', 'write', 'subscribe'],
  aliases: ['502', 'Schneider'],
  library: 'own codec',
  licence: 'Apache-2.0',
  reconnectSchema: {
    type: 'object',
    properties: {
      maxDelayMs: { type: 'integer', title: 'Longest wait', default: 30000, minimum: 10 },
      keepAlive: {
        type: 'object',
        title: 'TCP keep-alive',
        properties: { count: { type: 'integer', title: 'Probes', default: 3, minimum: 1 } },
      },
    },
  },
  guide: '',
  connectionSchema: {
    type: 'object',
    required: ['host'],
    properties: {
      host: { type: 'string', title: 'Host', minLength: 1 },
      port: { type: 'integer', title: 'Port', default: 502, minimum: 1, maximum: 65535 },
      password: { type: 'string', title: 'Password', 'x-secret': true },
    },
  },
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
        properties: { address: { type: 'integer', title: 'Address', minimum: 0 } },
        required: ['address'],
      },
    },
  ],
};
