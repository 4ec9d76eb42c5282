// Every page there is, of a hub on which something has happened: for the pictures, and for what must hold everywhere.
import { ask, check, until } from './support.mjs';

const kBroker = { host: '127.0.0.1', port: 2 };

async function becomes(watched, id, status) {
  const reached = async () =>
    (await ask(watched, 'GET', `/connections/${id}`)).state.status === status;
  check(await until(reached, 90), `The connection ${id} did not become ${status}.`);
}

async function make(watched, path, body) {
  const made = await ask(watched, 'POST', path, body);
  check(made.id ?? made.token, `${path} refused ${body.name}: ${JSON.stringify(made)}`);
  return made;
}

/** The plant speaks OPC UA, too: a connection whose peer says what it has. */
async function browsable(demo, watched) {
  const plant = demo.spawn(demo.binary, [
    ...['simulate', 'plant', '--host', '127.0.0.1', '--port', '0', '--opcua-port', '0'],
  ]);
  const [endpointUrl] = await plant.said(/opc\.tcp:\/\/127\.0\.0\.1:\d+/, 60);
  const { id } = await make(watched, '/connections', {
    name: 'Filler by OPC UA',
    type: 'opcua',
    labels: { site: 'demo', line: '1' },
    autostart: true,
    settings: { endpointUrl, securityMode: 'None', allowInsecure: true },
  });
  await becomes(watched, id, 'Connected');
  return id;
}

/** A server whose certificate nobody knows: the hub itself, which is no broker. */
const strange = (demo, watched) =>
  make(watched, '/connections', {
    name: 'Cloud broker',
    type: 'mqtt',
    settings: {
      host: '127.0.0.1',
      port: Number(new URL(demo.base).port),
      tls: { enabled: true },
      username: 'line1',
    },
    secrets: { password: 'not the password' },
    autostart: true,
  });

/** A pipeline with a record that its destination refuses until it is given up, and a second version. */
async function refusing(watched, functionId) {
  const { id } = await make(watched, '/pipelines', {
    name: 'Recipes to the filler',
    description: 'What the planner sends sets the speed.',
    nodes: [
      { id: 'manual', type: 'trigger.manual' },
      {
        id: 'filler',
        type: 'function',
        settings: { functionId, parameters: { speed: '{{ $input.speed }}' } },
        delivery: { mode: 'durable' },
      },
    ],
    edges: [{ from: 'manual', to: 'filler' }],
    enabled: true,
  });
  await ask(watched, 'POST', `/pipelines/${id}/run`, { input: { speed: 'as fast as you can' } });
  const letters = async () =>
    (await ask(watched, 'GET', `/pipelines/${id}/deadletters`)).items.length > 0;
  check(await until(letters, 60), 'What the filler refuses did not become a dead letter.');
  const changed = await ask(watched, 'PATCH', `/pipelines/${id}`, { labels: { site: 'demo' } });
  check(changed.version === 2, `There is no second version: ${JSON.stringify(changed)}`);
  return id;
}

/** Something to see: connections in every condition, history, a draft, runs, what is planned and who is told. */
export async function furnish(demo, watched) {
  const { items } = await ask(watched, 'GET', '/connections');
  const line = items.find((one) => one.name === 'Bottling line').id;
  await make(watched, '/connections', {
    name: 'Line 2 filler',
    type: 'modbus',
    labels: { site: 'demo', line: '2' },
    settings: { host: '127.0.0.1', port: 1 },
    autostart: true,
  });
  await make(watched, '/connections', {
    name: 'Plant broker',
    type: 'mqtt',
    labels: { site: 'demo' },
    settings: kBroker,
    autostart: false,
  });
  const broken = await strange(demo, watched);
  const tree = await browsable(demo, watched);
  await becomes(watched, line, 'Connected');
  await ask(watched, 'POST', `/connections/${line}/suspend`, {
    reason: 'Valve replacement',
    until: null,
  });
  await watched.page.waitForTimeout(3000);
  await ask(watched, 'POST', `/connections/${line}/resume`, { start: true });
  await becomes(watched, line, 'Connected');
  await make(watched, '/maintenance-windows', {
    name: 'Sunday updates',
    reason: 'PLC firmware',
    timeZone: 'Europe/Berlin',
    schedule: { kind: 'weekly', days: ['sun'], at: '02:00', durationMinutes: 120 },
    targets: { connectionIds: [line] },
  });
  await make(watched, '/notices', {
    name: 'Shift chat',
    url: 'https://chat.plant.example/hook',
    filter: { to: ['Disconnected', 'Failed'] },
    // Nobody is told from here.
    enabled: false,
  });
  await make(watched, '/tokens', { name: 'grafana', role: 'admin' });
  const byHand = await make(watched, '/pipelines', {
    name: 'Shift report',
    description: 'Run by hand at the end of a shift.',
    nodes: [
      { id: 'manual', type: 'trigger.manual' },
      { id: 'report', type: 'set', settings: { fields: { shift: 'late' } } },
    ],
    edges: [{ from: 'manual', to: 'report' }],
    enabled: true,
  });
  const { items: functions } = await ask(watched, 'GET', `/connections/${line}/functions`);
  const named = (name) => functions.find((one) => one.name === name).id;
  const refused = await refusing(watched, named('Set speed'));
  const described = await ask(watched, 'PATCH', `/connections/${tree}`, {
    description: 'The same filler, with names and types.',
  });
  check(described.version === 2, `There is no second version: ${JSON.stringify(described)}`);
  await becomes(watched, tree, 'Connected');
  const { items: pipelines } = await ask(watched, 'GET', '/pipelines');
  return {
    line,
    tree,
    live: named('Live values'),
    flow: pipelines.find((one) => one.name === 'Beacon follows alarms').id,
    byHand: byHand.id,
    refused,
    broken: broken.id,
  };
}

/** Name and address of every page. */
export function pages({ line, tree, live, flow, refused }) {
  const at = `/connections/${line}`;
  const graph = `/pipelines/${flow}`;
  return [
    ['welcome', '/welcome'],
    ['connections', '/connections'],
    ['gallery', '/connections/new'],
    ['new-connection', '/connections/new/modbus'],
    ...['overview', 'values', 'functions', 'health', 'events', 'settings', 'usedby'].map((tab) => [
      `connection-${tab}`,
      `${at}/${tab}`,
    ]),
    ['connection-browse', `/connections/${tree}/browse`],
    ['function', `${at}/functions/${live}`],
    ['new-function', `${at}/functions/new`],
    ['health', '/health?last=h1'],
    ['maintenance', '/health/maintenance'],
    ['new-maintenance', '/health/maintenance/new'],
    ['notices', '/health/notices'],
    ['new-notice', '/health/notices/new'],
    ['pipelines', '/pipelines'],
    ...['graph', 'runs', 'usedby'].map((tab) => [`pipeline-${tab}`, `${graph}/${tab}`]),
    ...['deadletters', 'versions'].map((tab) => [
      `pipeline-${tab}`,
      `/pipelines/${refused}/${tab}`,
    ]),
    ['pipeline-editor', `${graph}/edit`],
    ['new-pipeline', '/pipelines/new'],
    ...['access', 'certificates', 'secrets', 'system', 'audit'].map((tab) => [
      `settings-${tab}`,
      `/settings/${tab}`,
    ]),
  ];
}
