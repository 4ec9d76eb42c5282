// A stand-in for the hub, for work on the interface alone: `npm run mock`, then https is not needed. It answers with the shapes
// of contracts/openapi.yaml and knows no rules; the hub is the only judge of behaviour.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import * as data from './mock-data.mjs';
import { acceptWebSocket } from './websocket.mjs';

const port = Number(process.env.PORT ?? 8081);
const dist = new URL('../dist/', import.meta.url);
const setupCode = '7F3K-Q2MD';
const mimes = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
// What the hub sends with the page; the interface must work under it.
export const policy =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

const hub = {
  needsSetup: process.env.SETUP !== 'done',
  signedIn: process.env.SETUP === 'done',
  connectors: data.connectors(),
  connections: data.connections(),
  functions: data.functions(),
  pipelines: data.pipelines(),
  tokens: [],
  log: { version: 1, level: 'info', components: {}, known: ['api', 'connect', 'modbus'] },
};
const me = { name: 'admin', role: 'admin', via: 'session' };
const lines = new Set();

const page = (items) => ({ items, next: null });
const problem = (status, code, title, more = {}) => [
  status,
  { type: `/problems/${code}`, title, status, code, correlationId: '01JMOCK', ...more },
];

function publish(topic, value) {
  for (const line of lines) {
    for (const [id, one] of line.topics)
      if (one.topic === topic) line.send({ id, seq: ++one.seq, type: 'delta', data: value });
  }
}

function setStatus(connection, status, more = {}) {
  connection.state = {
    ...connection.state,
    status,
    since: data.iso(Date.now()),
    cause: null,
    nextAttemptAt: null,
    suspension: null,
    breaker: { state: 'closed', consecutiveFailures: 0, openUntil: null },
    ...more,
  };
  publish('connections', {
    id: connection.id,
    name: connection.name,
    type: connection.type,
    state: connection.state,
  });
}

function command(connection, name, body) {
  if (name === 'suspend') {
    if (!body.reason)
      return problem(422, 'invalid_settings', 'The settings are not valid', {
        errors: [{ pointer: '/reason', code: 'required', message: 'Give a reason' }],
      });
    setStatus(connection, 'Suspended', {
      suspension: {
        reason: body.reason,
        by: 'admin',
        at: data.iso(Date.now()),
        until: body.until ?? null,
      },
    });
  } else if (name === 'stop' || (name === 'resume' && !body.start)) setStatus(connection, 'Idle');
  else {
    setStatus(connection, 'Connecting', { attempt: 1 });
    setTimeout(() => setStatus(connection, 'Connected'), 1200);
  }
  return [200, connection];
}

function diagnosis(body) {
  if (body.settings?.host === '127.0.0.1' || body.settings?.host === 'localhost') {
    return {
      success: true,
      certificate: null,
      stages: [
        ['resolve', 0.2],
        ['tcp', 0.4],
        ['protocol', 3.1],
        ['firstRead', 2.2],
      ].map(([stage, durationMs]) => ({ stage, ok: true, durationMs })),
    };
  }
  return {
    success: false,
    certificate: null,
    stages: [
      { stage: 'resolve', ok: true, durationMs: 1.2 },
      {
        stage: 'tcp',
        ok: false,
        durationMs: 2000.1,
        error: {
          class: 'Transient',
          code: 'cannot_connect',
          message: `${body.settings?.host}:${body.settings?.port} did not answer within 2 s`,
          hint: 'Is the device on, and does a firewall let the port through?',
          pointer: '/settings/host',
        },
      },
    ],
  };
}

function answer(method, path, body, query) {
  const [, collection, id, action] = path.split('/');
  if (path === '/auth/state') return [200, { needsSetup: hub.needsSetup }];
  if (path === '/auth/setup') {
    if (body.code !== setupCode)
      return problem(403, 'setup_code_wrong', 'This is not the setup code that the hub printed.');
    hub.needsSetup = false;
    hub.signedIn = true;
    return [201, { ...me, name: body.username }];
  }
  if (path === '/auth/login') {
    hub.signedIn = body.password !== 'wrong';
    return hub.signedIn
      ? [200, me]
      : problem(401, 'invalid_credentials', 'User name or password is wrong.');
  }
  if (!hub.signedIn) return problem(401, 'not_authenticated', 'Sign in first.');
  if (path === '/auth/me') return [200, me];
  if (path === '/auth/logout') {
    hub.signedIn = false;
    return [204];
  }
  if (path === '/system')
    return [
      200,
      {
        version: '0.1.0',
        apiVersion: '1',
        startedAt: data.iso(Date.now() - 4 * 3_600_000),
        uptimeSeconds: 14_400,
        bootId: '01JBOOT',
        uncleanStart: false,
        connectors: hub.connectors.map((one) => one.type),
        connections: hub.connections.length,
        pipelines: hub.pipelines.length,
        ...data.systemFacts,
      },
    ];
  if (path === '/system/log') {
    if (method === 'PUT') Object.assign(hub.log, body, { version: hub.log.version + 1 });
    return [200, hub.log];
  }
  if (path === '/users')
    return [200, page([{ id: 'u1', username: me.name, role: 'admin', createdAt: data.iso(0) }])];
  if (path === '/secrets') return [200, page(secrets())];
  if (path === '/audit' || path === '/certificates') return [200, page([])];
  if (path === '/health/connections') {
    const to = Date.parse(query.get('to'));
    return [200, data.systemHealth(hub.connections, Date.parse(query.get('from')), to)];
  }
  if (['/alarms', '/maintenance-windows', '/notices'].includes(path)) return [200, page([])];
  if (collection === 'tokens') return tokens(method, id, body);
  if (collection === 'connectors')
    return id ? [200, hub.connectors.find((one) => one.type === id)] : [200, page(hub.connectors)];
  if (path === '/connections/test') return [200, diagnosis(body)];
  if (collection === 'connections') return connection(method, id, action, body, query);
  if (collection === 'functions') return oneFunction(method, id, action, body);
  if (collection === 'pipelines') {
    const found = hub.pipelines.find((one) => one.id === id);
    if (!found) return [200, page(hub.pipelines)];
    if (action === 'enable' || action === 'disable') {
      found.enabled = action === 'enable';
      found.state.status = found.enabled ? 'running' : 'disabled';
    }
    return [200, found];
  }
  return problem(404, 'not_found', 'There is nothing at this address.');
}

function secrets() {
  return hub.connections.flatMap(({ id, name, secrets: ones }) =>
    Object.entries(ones).map(([secret, { set, changedAt }]) => ({
      name: secret,
      set,
      changedAt,
      source: set ? 'stored' : null,
      problem: null,
      usedBy: { kind: 'connection', id, name },
    })),
  );
}

function tokens(method, id, body) {
  if (method === 'POST') {
    const made = {
      id: `t${hub.tokens.length}`,
      name: body.name,
      role: 'admin',
      createdAt: data.iso(Date.now()),
      expiresAt: body.expiresAt,
      lastUsedAt: null,
    };
    hub.tokens.push(made);
    return [
      201,
      {
        name: made.name,
        role: made.role,
        expiresAt: made.expiresAt,
        token: 'trb_M0ckT0kenM0ckT0kenM0ckT0kenM0ckT0kenM0ckT0k',
      },
    ];
  }
  if (method === 'DELETE') {
    hub.tokens = hub.tokens.filter((one) => one.id !== id);
    return [204];
  }
  return [200, page(hub.tokens)];
}

function connection(method, id, action, body, query) {
  const found = hub.connections.find((one) => one.id === id);
  if (!id && method === 'POST') {
    const made = {
      reconnect: {},
      ...body,
      id: `01JNEW${hub.connections.length}`,
      version: 1,
      secrets: {},
      intent: 'running',
      createdAt: data.iso(Date.now()),
      updatedAt: data.iso(Date.now()),
      state: { ...hub.connections[0].state, since: data.iso(Date.now()) },
    };
    hub.connections.push(made);
    return [201, made];
  }
  if (!id) return [200, page(hub.connections)];
  if (!found) return problem(404, 'not_found', 'There is no such connection.');
  if (action === 'functions' && method === 'POST') {
    const made = {
      ...hub.functions[0],
      ...body,
      id: `01JFN${hub.functions.length}`,
      connectionId: id,
      kind: body.type.split('.')[1],
    };
    hub.functions.push(made);
    return [201, made];
  }
  if (action === 'functions')
    return [200, page(hub.functions.filter((one) => one.connectionId === id))];
  if (action === 'health')
    return [200, data.health(Date.parse(query.get('from')), Date.parse(query.get('to')))];
  if (action === 'events') return [200, page(data.events(Date.now()))];
  if (action) return command(found, action, body);
  if (method === 'PATCH') Object.assign(found, body, { secrets: {}, version: found.version + 1 });
  if (method === 'DELETE') hub.connections = hub.connections.filter((one) => one !== found);
  return method === 'DELETE' ? [204] : [200, found];
}

function oneFunction(method, id, action, body) {
  const found = hub.functions.find((one) => one.id === id);
  if (!found) return problem(404, 'not_found', 'There is no such function.');
  if (action === 'execute') {
    return [
      200,
      {
        success: true,
        functionId: id,
        durationMs: 3.4,
        timestamp: data.iso(Date.now()),
        data: found.kind === 'read' ? { samples: data.scan(Date.now()) } : {},
      },
    ];
  }
  if (method === 'PUT') Object.assign(found, body, { version: found.version + 1 });
  if (method === 'DELETE') hub.functions = hub.functions.filter((one) => one !== found);
  return method === 'DELETE' ? [204] : [200, found];
}

async function file(path, response) {
  const name = extname(path) ? path.slice(1) : 'index.html';
  try {
    const content = await readFile(new URL(name, dist));
    response.writeHead(200, {
      'Content-Type': mimes[extname(name)] ?? 'application/octet-stream',
      'Content-Security-Policy': policy,
    });
    response.end(content);
  } catch {
    response.writeHead(404).end();
  }
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://localhost');
  if (url.pathname === '/healthz')
    return response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"status":"ok"}');
  if (!url.pathname.startsWith('/api/v1/')) return file(url.pathname, response);
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const [status, body] = answer(
    request.method,
    url.pathname.slice('/api/v1'.length),
    text ? JSON.parse(text) : {},
    url.searchParams,
  );
  response.writeHead(status, {
    'Content-Type': status < 400 ? 'application/json' : 'application/problem+json',
  });
  response.end(body === undefined ? undefined : JSON.stringify(body));
});

server.on('upgrade', (request, socket) => {
  const line = { topics: new Map() };
  const { send } = acceptWebSocket(request, socket, {
    onText: (text) => {
      const message = JSON.parse(text);
      if (message.unsubscribe) return line.topics.delete(message.unsubscribe);
      line.topics.set(message.subscribe, { topic: message.topic, seq: 1 });
      const snapshot = {
        connections: hub.connections,
        pipelines: hub.pipelines,
        values: data.scan(Date.now()),
        runs: [],
      }[message.topic];
      send({ id: message.subscribe, seq: 1, type: 'snapshot', data: snapshot });
    },
    onClose: () => lines.delete(line),
  });
  line.send = send;
  lines.add(line);
});

setInterval(() => publish('values', { samples: data.scan(Date.now()) }), 250);
setInterval(() => {
  const [first] = hub.pipelines;
  first.state = {
    ...first.state,
    recordsIn: first.state.recordsIn + 4,
    recordsOut: first.state.recordsOut + 4,
    lastRunAt: data.iso(Date.now()),
  };
  publish('pipelines', { id: first.id, state: first.state });
}, 1000);

server.listen(port, '127.0.0.1', () =>
  process.stdout.write(`http://127.0.0.1:${port}/setup#code=${setupCode}\n`),
);
