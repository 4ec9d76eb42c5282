// Pictures of every page in both themes, from a real hub with the simulated plant: for README, guides, and for looking at a change.
//
//   cd web; TRIBUTARY_BIN=../build/release/bin/tributary npm run screenshots -- [--screenshots DIR]      (build/screenshots without it)
import { parseArgs } from 'node:util';
import { ask, check, loaded, run, signUp, until } from './support.mjs';

const kFolder = new URL('../../build/screenshots', import.meta.url).pathname;

const { values: options } = parseArgs({
  options: { screenshots: { type: 'string', default: kFolder } },
});

/** Something to see: a connection that is down, one that is suspended, history, a draft, a run with errors. */
async function furnish(watched) {
  const { items } = await ask(watched, 'GET', '/connections');
  const line = items.find((one) => one.name === 'Bottling line');
  const add = (body) => ask(watched, 'POST', '/connections', { autostart: true, ...body });
  await add({
    name: 'Line 2 filler',
    type: 'modbus',
    labels: { site: 'demo', line: '2' },
    settings: { host: '127.0.0.1', port: 1 },
  });
  await add({
    name: 'Plant broker',
    type: 'mqtt',
    labels: { site: 'demo' },
    settings: { host: '127.0.0.1', port: 2 },
    autostart: false,
  });
  const connected = async () =>
    (await ask(watched, 'GET', `/connections/${line.id}`)).state.status === 'Connected';
  check(await until(connected, 60), 'The simulated plant was not connected to.');
  await ask(watched, 'POST', `/connections/${line.id}/suspend`, {
    reason: 'Valve replacement',
    until: null,
  });
  await watched.page.waitForTimeout(3000);
  await ask(watched, 'POST', `/connections/${line.id}/resume`, { start: true });
  check(await until(connected, 60), 'The simulated plant did not come back.');
  const { items: functions } = await ask(watched, 'GET', `/connections/${line.id}/functions`);
  const { items: pipelines } = await ask(watched, 'GET', '/pipelines');
  return {
    line,
    live: functions.find((one) => one.name === 'Live values'),
    pipeline: pipelines[0],
  };
}

/** Name of the picture, address, and what must have happened before it is taken. */
function pages({ line, live, pipeline }) {
  const at = `/connections/${line.id}`;
  const graph = `/pipelines/${pipeline.id}`;
  return [
    ['connections', '/connections'],
    ['gallery', '/connections/new'],
    ['new-connection', '/connections/new/modbus'],
    ...['overview', 'values', 'functions', 'browse', 'health', 'events', 'settings', 'usedby'].map(
      (tab) => [`connection-${tab}`, `${at}/${tab}`],
    ),
    ['function', `${at}/functions/${live.id}`],
    ['health', '/health'],
    ['maintenance', '/health/maintenance'],
    ['notices', '/health/notices'],
    ['pipelines', '/pipelines'],
    ...['graph', 'runs', 'deadletters', 'versions', 'usedby'].map((tab) => [
      `pipeline-${tab}`,
      `${graph}/${tab}`,
    ]),
    ['pipeline-editor', `${graph}/edit`],
    ...['access', 'certificates', 'secrets', 'system', 'audit'].map((tab) => [
      `settings-${tab}`,
      `/settings/${tab}`,
    ]),
  ];
}

async function take(watched, [name, path], theme) {
  const { page, base } = watched;
  await page.goto(base + path);
  await loaded(watched);
  const nothing = await page.getByText('There is nothing here').count();
  check(nothing === 0, `There is no page at ${path}.`);
  if (name === 'connection-values') {
    // A line that has moved for a while says more than its first point.
    const chart = page.getByTestId('chart');
    await chart.waitFor();
    await until(async () => Number(await chart.getAttribute('data-samples')) >= 60, 90);
  }
  // Charts and canvases are drawn a frame or two after their data.
  await page.waitForTimeout(700);
  await watched.screenshot(`${name}-${theme}`);
}

async function journey(demo, watched) {
  const { page } = watched;
  watched.screenshots = options.screenshots;
  await page.goto(demo.setupLink);
  await page.getByLabel('User name').waitFor();
  await watched.screenshot('setup-light');
  await signUp(watched, demo);
  const furniture = await furnish(watched);
  for (const theme of ['light', 'dark']) {
    await page.evaluate(
      (scheme) => localStorage.setItem('mantine-color-scheme-value', scheme),
      theme,
    );
    for (const one of pages(furniture)) await take(watched, one, theme);
    await page.goto(`${watched.base}/connections`);
    await loaded(watched);
    await page.keyboard.press('Control+k');
    await page.keyboard.type('bottl');
    await page.getByRole('option', { selected: true }).waitFor();
    await watched.screenshot(`palette-${theme}`);
  }
}

run(journey, { done: `The pictures are in ${options.screenshots}.` });
