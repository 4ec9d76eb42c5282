// A plant that exists only on paper: one connection in every status, a filler that moves, two pipelines.
import { readdirSync, readFileSync } from 'node:fs';

const kHour = 3_600_000;
export const now = () => Date.now();
export const iso = (ms) => new Date(ms).toISOString();

/** What GET /system tells besides versions and counts. */
export const systemFacts = {
  build: { compiler: 'GCC 12.2.0', type: 'release' },
  machine: {
    operatingSystem: 'Debian GNU/Linux 12 (bookworm)',
    kernel: '6.1.0',
    architecture: 'x86_64',
    processors: 2,
  },
  process: { residentBytes: 61_000_000, openDescriptors: 48, threads: 12, cpuSeconds: 90 },
  storage: {
    dataDirectory: '/var/lib/tributary',
    storeBytes: 4_500_000,
    spoolBytes: 820_000,
    otherBytes: 4000,
    freeBytes: 120_000_000_000,
    totalBytes: 250_000_000_000,
  },
  spool: { records: 0, bytes: 0, oldestAt: null, deadLetters: 0, lost: 0 },
  eventLoops: [
    { name: 'control', lagMs: 0.04 },
    { name: 'worker-0', lagMs: 0.11 },
  ],
};

function readJson(url) {
  return JSON.parse(readFileSync(url, 'utf8'));
}

/** The real connectors of the repository, as GET /connectors answers them. */
export function connectors() {
  const root = new URL('../../connectors/', import.meta.url);
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => {
      const folder = new URL(`${name}/`, root);
      let manifest;
      try {
        manifest = readJson(new URL('connector.json', folder));
      } catch {
        return [];
      }
      const functions = readdirSync(new URL('functions/', folder))
        .filter((file) => file.endsWith('.schema.json'))
        .map((file) => {
          const schema = readJson(new URL(`functions/${file}`, folder));
          return {
            type: schema['x-function'],
            title: schema.title,
            summary: schema.description,
            kind: schema['x-kind'],
            polled: schema['x-polled'] === true,
            schema,
          };
        });
      const connectionSchema = readJson(new URL('connection.schema.json', folder));
      return [{ ...manifest, connectionSchema, functions, guide: '' }];
    });
}

const closed = { state: 'closed', consecutiveFailures: 0, openUntil: null };

function state(status, ageMs, more = {}) {
  return {
    status,
    since: iso(now() - ageMs),
    epoch: 3,
    attempt: 0,
    cause: null,
    nextAttemptAt: null,
    degraded: null,
    breaker: closed,
    suspension: null,
    ...more,
  };
}

const refused = {
  class: 'Transient',
  code: 'connection_refused',
  message: '192.0.2.14:502 refused the connection',
  hint: "Is the device's Modbus server enabled, and is 502 its port?",
  at: iso(now() - 4000),
};

export function connections() {
  const base = (id, name, type, settings, labels, description, current) => ({
    id,
    version: 1,
    name,
    type,
    description,
    labels,
    settings,
    secrets: {},
    autostart: true,
    reconnect: {},
    intent: 'running',
    createdAt: iso(now() - 90 * kHour),
    updatedAt: iso(now() - 2 * kHour),
    state: current,
  });
  const modbus = (host, port = 502) => ({
    transport: 'tcp',
    host,
    port,
    unitId: 1,
    requestTimeoutMs: 2000,
  });
  return [
    base(
      '01JFILLER',
      'Bottling line: filler',
      'modbus',
      modbus('127.0.0.1', 15020),
      { site: 'izmir', line: '3' },
      'Simulated bottling plant',
      state('Connected', 4 * kHour),
    ),
    base(
      '01JCAPPER',
      'Bottling line: capper',
      'modbus',
      modbus('192.0.2.14'),
      { site: 'izmir', line: '3' },
      '',
      state('Disconnected', 12_000, {
        cause: refused,
        attempt: 4,
        nextAttemptAt: iso(now() + 21_000),
        breaker: { ...closed, consecutiveFailures: 4 },
      }),
    ),
    base(
      '01JLABELS',
      'Labeller',
      'modbus',
      modbus('192.0.2.15'),
      { line: '3' },
      '',
      state('Reconnecting', 1500, {
        cause: { ...refused, code: 'timeout', message: '192.0.2.15:502 did not answer within 3 s' },
        attempt: 2,
      }),
    ),
    base(
      '01JBROKER',
      'Plant broker',
      'mqtt',
      { host: 'broker.plant.local', port: 8883, version: '5.0' },
      { site: 'izmir' },
      'Mosquitto in the server room',
      state('Failed', 640_000, {
        attempt: 2,
        cause: {
          class: 'Identity',
          code: 'bad_credentials',
          message: 'The broker refused the user name or password (reason code 0x86)',
          hint: 'Check the password; the hub tries again when it is changed.',
          at: iso(now() - 640_000),
        },
        breaker: { state: 'open', consecutiveFailures: 2, openUntil: iso(now() + 95_000) },
      }),
    ),
    base(
      '01JMETERS',
      'Power meters, hall 2',
      'modbus',
      modbus('192.0.2.31'),
      { hall: '2' },
      '',
      state('Connected', 31 * kHour, {
        degraded: '1 of 12 points is refused: meter11.energy (illegal data address)',
      }),
    ),
    base(
      '01JPALLET',
      'Palletiser',
      'modbus',
      modbus('192.0.2.40'),
      { line: '3' },
      '',
      state('Suspended', 2 * kHour, {
        suspension: {
          reason: 'Gripper is being replaced',
          by: 'operator1',
          at: iso(now() - 2 * kHour),
          until: iso(now() + 3 * kHour),
        },
      }),
    ),
    base(
      '01JSPARE',
      'Spare gateway',
      'modbus',
      modbus('192.0.2.50'),
      {},
      '',
      state('Idle', 50 * kHour),
    ),
  ];
}

const points = [
  ['speed', 'holdingRegisters', 0, 'uint16'],
  ['targetSpeed', 'holdingRegisters', 1, 'uint16'],
  ['temperature', 'holdingRegisters', 10, 'float32'],
  ['level', 'holdingRegisters', 12, 'float32'],
  ['bottles', 'holdingRegisters', 20, 'uint32'],
  ['rejects', 'holdingRegisters', 22, 'uint32'],
  ['pressure', 'inputRegisters', 0, 'int16'],
  ['running', 'coils', 0, 'bool'],
  ['doorOpen', 'discreteInputs', 0, 'bool'],
  ['alarmCode', 'inputRegisters', 4, 'uint16'],
  ['recipe', 'holdingRegisters', 40, 'string'],
  ['conductivity', 'inputRegisters', 8, 'float32'],
].map(([name, area, address, dataType]) => ({ name, area, address, dataType }));

export function functions() {
  const base = (id, connectionId, name, type, kind, settings, more = {}) => ({
    id,
    version: 1,
    connectionId,
    name,
    type,
    kind,
    description: '',
    settings,
    enabled: true,
    parameters: [],
    subscription: null,
    createdAt: iso(now() - 90 * kHour),
    updatedAt: iso(now() - 2 * kHour),
    ...more,
  });
  return [
    base('01JFREAD', '01JFILLER', 'Read filler', 'modbus.read', 'read', { points }),
    base(
      '01JFWATCH',
      '01JFILLER',
      'Watch filler',
      'modbus.subscribe',
      'subscribe',
      { points, intervalMs: 250, reportOn: 'change', deadband: 0 },
      { subscription: { status: 'active', samples: 184_220, overruns: 3, error: null } },
    ),
    base(
      '01JFWRITE',
      '01JFILLER',
      'Set speed',
      'modbus.write',
      'write',
      { points: points.slice(1, 2), values: { targetSpeed: '((speed))' } },
      { parameters: ['speed'] },
    ),
  ];
}

export function pipelines() {
  const node = (id, type) => ({ id, type, settings: {} });
  const base = (id, name, nodes, status, counters, more = {}) => ({
    id,
    version: 2,
    name,
    description: '',
    labels: {},
    enabled: status !== 'disabled',
    nodes,
    edges: [],
    createdAt: iso(now() - 90 * kHour),
    updatedAt: iso(now() - 2 * kHour),
    state: {
      status,
      recordsIn: 0,
      recordsOut: 0,
      errors: 0,
      dropped: 0,
      lastRunAt: null,
      nodes: [],
      ...counters,
    },
    ...more,
  });
  return [
    base(
      '01JP1',
      'Filler to broker',
      [
        node('t1', 'trigger.function'),
        node('celsius', 'set'),
        node('running', 'condition'),
        node('publish', 'function'),
      ],
      'running',
      { recordsIn: 61_442, recordsOut: 58_010, lastRunAt: iso(now() - 400) },
      { description: 'Speed and temperature while the line runs' },
    ),
    base(
      '01JP2',
      'Shift report',
      [node('t1', 'trigger.schedule'), node('read', 'function'), node('publish', 'function')],
      'failing',
      {
        recordsIn: 96,
        recordsOut: 91,
        errors: 5,
        lastRunAt: iso(now() - 520_000),
        nodes: [
          {
            nodeId: 'publish',
            recordsIn: 96,
            recordsOut: 91,
            errors: 5,
            lastError: {
              class: 'Identity',
              code: 'connection_failed',
              message: 'Plant broker is Failed: the broker refused the user name or password',
            },
          },
        ],
      },
    ),
    base(
      '01JP3',
      'Reset counters',
      [node('t1', 'trigger.manual'), node('write', 'function')],
      'disabled',
      {},
    ),
  ];
}

/** One scan of the filler: a plausible machine, not noise. */
export function scan(at) {
  const s = at / 1000;
  const stopped = s % 97 > 88;
  const ramp = Math.min(1, (s % 97) / 6);
  const speed = stopped ? 0 : Math.round(1500 * ramp + 14 * Math.sin(s / 2.3));
  const sample = (point, value, more = {}) => ({
    point,
    value,
    quality: 'good',
    sourceTime: null,
    receiveTime: iso(at),
    ...more,
  });
  return [
    sample('speed', speed),
    sample('targetSpeed', 1500),
    sample(
      'temperature',
      Number((21.4 + 1.8 * Math.sin(s / 31) + 0.1 * Math.sin(s * 1.7)).toFixed(2)),
    ),
    sample('level', Number((62 + 18 * Math.sin(s / 13)).toFixed(1))),
    sample('bottles', Math.floor(s * 6) % 4_000_000),
    sample('rejects', Math.floor(s / 9) % 12_000),
    sample('pressure', Math.round(412 + 6 * Math.sin(s / 3))),
    sample('running', !stopped),
    sample('doorOpen', false),
    sample('alarmCode', stopped ? 17 : 0),
    sample('recipe', 'COLA-0.5'),
    sample('conductivity', null, {
      quality: 'bad',
      code: 'BadDeviceFailure',
      error: {
        code: 'illegal_data_address',
        message: 'The device refused address 8 (exception 2)',
      },
    }),
  ];
}

export function health(from, to) {
  const segments = [];
  const push = (status, share) => {
    const start = segments.length ? Date.parse(segments.at(-1).to) : from;
    segments.push({ from: iso(start), to: iso(Math.min(to, start + share * (to - from))), status });
  };
  for (const [status, share] of [
    ['Connected', 0.3],
    ['Disconnected', 0.004],
    ['Reconnecting', 0.003],
    ['Connected', 0.21],
    ['Unknown', 0.05],
    ['Connecting', 0.002],
    ['Connected', 0.2],
    ['Suspended', 0.06],
    ['Connected', 0.08],
    ['Failed', 0.03],
    ['Connected', 1],
  ])
    push(status, share);
  const durations = {
    Idle: 0,
    Connecting: 0,
    Connected: 0,
    Disconnected: 0,
    Reconnecting: 0,
    Failed: 0,
    Suspended: 0,
    Unknown: 0,
  };
  for (const one of segments)
    durations[one.status] += (Date.parse(one.to) - Date.parse(one.from)) / 1000;
  const total = (to - from) / 1000;
  const counted = total - durations.Idle - durations.Suspended - durations.Unknown;
  return {
    from: iso(from),
    to: iso(to),
    timeline: segments,
    durations,
    timelineComplete: true,
    buckets: [],
    uptimePercent: (100 * durations.Connected) / counted,
    uptimeReason: null,
    connectedSeconds: durations.Connected,
    countedSeconds: counted,
    downSeconds: counted - durations.Connected,
    excluded: {
      idleSeconds: durations.Idle,
      suspendedSeconds: durations.Suspended,
      unknownSeconds: durations.Unknown,
    },
    failureCount: 2,
    recoveries: 2,
    meanRecoverySeconds: 61.5,
    longestRecoverySeconds: total * 0.03,
    longestOutageSeconds: total * 0.03,
    openOutageSeconds: null,
    meanTimeBetweenFailuresSeconds: total / 2,
    flapping: { active: false, since: null, changesPerHour: 3 },
    clockUncertain: false,
    clockSteps: [],
  };
}

/** The same past for all of them. */
export function systemHealth(all, from, to) {
  const { timeline, buckets, timelineComplete, ...figures } = health(from, to);
  const items = all.map(({ id, name, type, state }) => ({
    ...figures,
    id,
    name,
    type,
    status: state.status,
  }));
  const totals = { ...figures.durations };
  delete totals.Unknown;
  for (const status of Object.keys(totals))
    totals[status] = items.filter((one) => one.status === status).length;
  const down = all.filter(({ state }) => ['Disconnected', 'Failed'].includes(state.status));
  return {
    ...figures,
    connections: all.length,
    totals,
    items,
    next: null,
    mostFailures: items.slice(0, 3),
    mostDowntime: items.slice(0, 3),
    flapping: [],
    issueCount: down.length,
    currentIssues: down,
    alarms: [],
  };
}

export function events(to) {
  const rows = [
    [null, 'Idle', 'created', 'admin'],
    ['Idle', 'Connecting', 'start', 'admin'],
    ['Connecting', 'Connected', null, null],
    ['Connected', 'Disconnected', null, null],
    ['Disconnected', 'Reconnecting', null, null],
    ['Reconnecting', 'Connected', null, null],
    ['Connected', 'Suspended', 'suspended: gripper is being replaced', 'operator1'],
    ['Suspended', 'Idle', 'resume', 'operator1'],
    ['Idle', 'Connecting', 'start', 'operator1'],
    ['Connecting', 'Connected', null, null],
  ];
  return rows.map(([from, status, note, actor], index) => ({
    seq: index + 1,
    at: iso(to - (rows.length - index) * 290_000),
    from,
    to: status,
    epoch: index,
    note,
    actor,
    cause:
      status === 'Disconnected'
        ? {
            class: 'Transient',
            code: 'connection_reset',
            message: '127.0.0.1:15020 closed the connection',
            at: iso(to),
          }
        : null,
  }));
}
