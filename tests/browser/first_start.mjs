// The journey of a newcomer, in a real browser, against a real hub: first start → setup code → a live value on the chart, in at
// most 120 s and 8 clicks after the hub answers; once with the demo that is there already, and once with one that is connected from
// the first steps. A session that ends loses nothing of what was typed. Then every page once, in both themes: no foreign request, no refusal by the
// content security policy, no error, no serious accessibility problem.
//
//   TRIBUTARY_BIN=build/release/bin/tributary node tests/browser/first_start.mjs [--screenshots DIR]
import { ask, check, Demo, Failure, run, until, WatchedPage } from './support.mjs';

const kMaxSeconds = 120;
const kMaxClicks = 8;
const kAccount = { username: 'ada', password: 'correct horse battery' };

/** The administrator is made; the cursor leads through the form. */
async function setUp(watched, demo) {
  const { page } = watched;
  await page.goto(demo.setupLink);
  const username = page.getByLabel('User name');
  await username.waitFor();
  await watched.isAccessible('setup');
  await watched.screenshot('setup-light');
  // The cursor stands in the first empty field; Tab leads to the next.
  check(
    await username.evaluate((input) => input === document.activeElement),
    'The cursor is not in the first empty field.',
  );
  await page.keyboard.type(kAccount.username);
  await page.keyboard.press('Tab');
  await page.keyboard.type(kAccount.password);
  await watched.click(page.getByRole('button', { name: 'Create administrator' }));
  await page.getByRole('heading', { name: 'First steps' }).waitFor();
}

/** A line moves on the chart, soon enough and after few enough clicks. */
async function liveInTime(watched, demo) {
  const { page } = watched;
  const chart = page.getByTestId('chart');
  const samples = async () =>
    (await chart.count()) > 0 ? Number(await chart.getAttribute('data-samples')) : 0;
  const drawn = await until(async () => (await samples()) >= 2, kMaxSeconds);
  const seconds = (performance.now() - demo.answering) / 1000;
  if (!drawn) {
    const id = new URL(page.url()).pathname.split('/')[2];
    const known = JSON.stringify(await ask(watched, 'GET', `/connections/${id}/functions`));
    throw new Failure(
      `No live value was on the chart after ${seconds.toFixed(1)} s. The hub says: ${known}`,
    );
  }
  check(
    seconds <= kMaxSeconds,
    `It took ${seconds.toFixed(1)} s to a live value; at most ${kMaxSeconds} are allowed.`,
  );
  check(
    watched.clicks <= kMaxClicks,
    `It took ${watched.clicks} clicks; at most ${kMaxClicks} are allowed.`,
  );
  return `after ${seconds.toFixed(1)} s and ${watched.clicks} clicks`;
}

/** From the link that the hub printed to a moving line. */
async function firstStart(watched, demo) {
  await setUp(watched, demo);
  await watched.isAccessible('first steps');
  await watched.screenshot('welcome-light');
  await watched.click(watched.page.getByRole('link', { name: 'Bottling line' }));
  return liveInTime(watched, demo);
}

/** The same on a hub that has nothing yet: the demo plant is connected from the first steps. */
async function connectTheDemo() {
  const demo = await Demo.start(process.env.TRIBUTARY_BIN, { empty: true });
  let watched;
  try {
    watched = await WatchedPage.open(demo.base);
    const { page } = watched;
    await setUp(watched, demo);
    await watched.click(page.getByRole('button', { name: 'Connect the demo plant' }));
    await page.getByLabel('Port').fill(String(demo.plantPort));
    await watched.isAccessible('first steps, demo plant');
    await watched.click(page.getByRole('button', { name: 'Connect', exact: true }));
    const took = await liveInTime(watched, demo);
    const { items } = await ask(watched, 'GET', '/pipelines');
    check(items.length === 1, `The demo made ${items.length} pipelines.`);
    check(watched.problems.length === 0, watched.problems.join('\n'));
    return took;
  } finally {
    await watched?.close();
    await demo.stop();
  }
}

/** The chart really shows something, and what it shows moves. */
async function valuesMove(watched) {
  const { page } = watched;
  const inked = await page
    .getByTestId('chart')
    .locator('canvas')
    .evaluate((canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let i = 3; i < data.length; i += 4) if (data[i] > 0) count += 1;
      return count;
    });
  check(inked > 500, `The chart's canvas is all but empty (${inked} pixels).`);
  // Some point of the filler changes every few seconds whatever the machine is doing.
  const text = () => page.locator('table tbody').textContent();
  const before = await text();
  check(
    await until(async () => (await text()) !== before, 30),
    'The live values did not change within 30 s.',
  );
  check(
    (await page.getByText('Live', { exact: true }).count()) > 0,
    'The live badge does not say Live.',
  );
}

/** Suspend with a reason, resume and start: the page follows by itself. */
async function suspendAndResume(watched) {
  const { page } = watched;
  await page.getByRole('button', { name: 'Suspend' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Suspend' }).click();
  await dialog.getByText('Say why').waitFor();
  await dialog.getByLabel('Reason').fill('Browser test');
  await watched.isAccessible('suspend dialog');
  await dialog.getByRole('button', { name: 'Suspend' }).click();
  await page.getByText('Browser test').first().waitFor();
  await page.getByText('Bad', { exact: true }).first().waitFor();
  await watched.isAccessible('suspended connection');
  await watched.screenshot('suspended-light');
  await page.getByRole('button', { name: 'Resume and start' }).click();
  await page.getByRole('button', { name: 'Stop' }).waitFor();
  await page.getByText('Good', { exact: true }).first().waitFor();
}

async function executeFunction(watched) {
  const { page } = watched;
  await page.getByRole('link', { name: 'Functions' }).click();
  const row = page.getByRole('row', { name: /Read process values/ });
  await row.getByRole('button', { name: 'Execute' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Run' }).click();
  await dialog.getByText('Answered in').waitFor();
  check((await dialog.getByRole('row').count()) > 5, 'The result of the read shows no points.');
  await watched.isAccessible('execute dialog');
  await watched.screenshot('execute-light');
  await dialog.getByRole('button', { name: 'Close' }).click();
}

/** Every page at its own address, as a reload shows it. */
async function everyPage(watched, connectionPath, theme) {
  const { page, base } = watched;
  const visits = [
    ['connections', '/connections', () => page.getByRole('link', { name: 'Bottling line' })],
    ['values', `${connectionPath}/values`, () => page.getByTestId('chart').locator('canvas')],
    [
      'functions',
      `${connectionPath}/functions`,
      () => page.getByRole('row', { name: /Set speed/ }),
    ],
    [
      'new-function',
      `${connectionPath}/functions/new?type=modbus.subscribe`,
      () => page.getByLabel('Interval'),
    ],
    ['health', `${connectionPath}/health`, () => page.getByText('Uptime', { exact: true })],
    [
      'edit-connection',
      `${connectionPath}/edit`,
      () => page.getByRole('button', { name: 'Save changes' }),
    ],
    ['gallery', '/connections/new', () => page.getByRole('link', { name: 'Modbus' })],
    [
      'new-connection',
      '/connections/new/mqtt',
      () => page.getByRole('textbox', { name: /^Host/ }).first(),
    ],
    ['welcome', '/welcome', () => page.getByText('Ready to look at')],
    ['pipelines', '/pipelines', () => page.getByText('Beacon follows alarms')],
    ['system', '/settings/system', () => page.getByText('API version')],
    ['not-found', '/nowhere', () => page.getByText('There is nothing here').first()],
  ];
  for (const [name, path, sign] of visits) {
    await page.goto(base + path);
    await sign().waitFor();
    if (name === 'values' && watched.screenshots) await page.waitForTimeout(30_000);
    await watched.isAccessible(`${name} (${theme})`);
    await watched.screenshot(`${name}-${theme}`);
  }
}

async function signOutAndIn(watched) {
  const { page } = watched;
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await watched.isAccessible('sign-in');
  await page.getByLabel('User name').fill(kAccount.username);
  await page.getByRole('textbox', { name: 'Password' }).fill(kAccount.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
}

/** Somebody is signed out in the middle of a form: it is there again after signing in. */
async function sessionEnds(watched) {
  const { page, base } = watched;
  await page.goto(`${base}/connections/new/mqtt`);
  const host = page.getByRole('textbox', { name: /^Host/ }).first();
  await host.fill('broker.plant.example');
  await ask(watched, 'POST', '/auth/logout');
  const dialog = page.getByRole('dialog', { name: 'Sign in' });
  await dialog.getByText('The session has ended').waitFor();
  await watched.isAccessible('signing in again');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  check(await dialog.isVisible(), 'Escape went past signing in.');
  await dialog.getByRole('textbox', { name: 'Password' }).fill(kAccount.password);
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  const typed = await host.inputValue();
  check(typed === 'broker.plant.example', `The form says “${typed}” after signing in again.`);
}

async function journey(demo, watched) {
  const { page } = watched;
  const took = await firstStart(watched, demo);
  process.stdout.write(`Live value on the chart ${took}.\n`);
  const connectionPath = new URL(page.url()).pathname.replace(/\/values$/, '');
  await valuesMove(watched);
  await suspendAndResume(watched);
  await executeFunction(watched);
  await sessionEnds(watched);
  await everyPage(watched, connectionPath, 'light');
  await page.getByRole('button', { name: 'Use the dark theme' }).click();
  await everyPage(watched, connectionPath, 'dark');
  await signOutAndIn(watched);
  process.stdout.write(`On a hub without anything ${await connectTheDemo()}.\n`);
}

run(journey, {
  done: 'Every page works in both themes: no foreign request, no policy violation, no serious accessibility problem.',
});
