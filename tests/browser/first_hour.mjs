// The first hour of somebody who has never seen Tributary, as docs/guide/first-hour.md tells it: connect to the simulated plant, pick
// five tags, see them live, send them to a broker, suspend for maintenance with a reason, find that time in the health page. In a real
// browser, by what is written on the pages, against a real hub, plant and broker. Its screenshots are the pictures of the guide.
//
//   TRIBUTARY_BIN=build/release/bin/tributary node tests/browser/first_hour.mjs [--screenshots DIR]
import { ask, check, freePort, loaded, run, signUp, until } from './support.mjs';

const kReason = 'Valve replacement';
const kShownMs = 4 * 60_000;
// As they are copied out of a spreadsheet: the first row names the columns.
const kTags = [
  ['name', 'area', 'address', 'dataType'],
  ['speed', 'holdingRegisters', '0', 'uint16'],
  ['temperature', 'holdingRegisters', '10', 'float32'],
  ['tankLevel', 'holdingRegisters', '12', 'float32'],
  ['pressure', 'holdingRegisters', '14', 'float32'],
  ['bottles', 'holdingRegisters', '2', 'uint32'],
];

/** A picture of the guide: whole, and without what was told for a moment. */
async function picture(watched, name) {
  if (!watched.screenshots) return;
  await loaded(watched);
  await watched.page.waitForFunction(
    () => !document.querySelector('.mantine-Notification-root, .mantine-Loader-root'),
  );
  await watched.settled();
  await watched.screenshot(name);
}

/** From the gallery to a connection that was seen to answer. */
async function connect(watched, { search, connector, port, name, shown }) {
  const { page, base } = watched;
  await page.goto(`${base}/connections/new`);
  await page.getByRole('textbox').first().fill(search);
  await page.getByRole('link', { name: connector }).first().click();
  await page.getByLabel('Host', { exact: false }).first().fill('127.0.0.1');
  await page.getByLabel(/^Port/).fill(String(port));
  const test = page.getByRole('button', { name: 'Test connection' });
  while (!(await test.isVisible()))
    await page.getByRole('button', { name: 'Next', exact: true }).click();
  await test.click();
  await page.getByText('Everything answers.').waitFor();
  await watched.isAccessible(`${name}, tested`);
  if (shown) await picture(watched, shown);
  await page.getByRole('button', { name: 'Next', exact: true }).click();
  await page.getByRole('textbox', { name: /^Name/ }).first().fill(name);
  await page.getByRole('button', { name: 'Save connection' }).click();
  await page.getByText('What should it do?').waitFor();
}

/** Five rows of a spreadsheet become five points. */
async function pickTags(watched) {
  const { page } = watched;
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page
    .getByRole('button', { name: /Subscribe/ })
    .first()
    .click();
  await page.getByRole('textbox', { name: /^Name/ }).first().fill('Five tags');
  const rows = kTags.map((cells) => cells.join('\t')).join('\n');
  await page.evaluate((text) => navigator.clipboard.writeText(text), rows);
  const place = page.locator('[tabindex="0"]').filter({ hasText: 'No points yet' }).last();
  await place.focus();
  await page.keyboard.press('Control+v');
  await page.getByText('5 rows came from the clipboard.').waitFor();
  await page.getByRole('gridcell', { name: 'tankLevel' }).waitFor();
  await watched.isAccessible('five points');
  await picture(watched, 'first-hour-tags');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
}

async function seeThemLive(watched) {
  const { page } = watched;
  const chart = page.getByTestId('chart');
  const samples = async () =>
    (await chart.count()) > 0 ? Number(await chart.getAttribute('data-samples')) : 0;
  const enough = watched.screenshots ? 25 : 2;
  check(
    await until(async () => (await samples()) >= enough, 120),
    'No live value was on the chart.',
  );
  for (const [tag] of kTags.slice(1))
    await page
      .getByRole('row', { name: new RegExp(tag) })
      .getByText('Good')
      .waitFor();
  await watched.isAccessible('live values');
  await picture(watched, 'first-hour-live');
  return new URL(page.url()).pathname.split('/')[2];
}

/** A function of the broker that publishes what it is given. */
async function publishFunction(watched) {
  const { page } = watched;
  await page
    .getByRole('button', { name: /Publish/ })
    .first()
    .click();
  await page.getByRole('textbox', { name: /^Name/ }).first().fill('Publish tags');
  await page
    .getByLabel(/^Topic/)
    .first()
    .fill('plant/filler');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('“Publish tags” is saved.').waitFor();
}

const node = (page, id) => page.locator(`.react-flow__node[data-id="${id}"]`);

/** When the tags arrive, publish them. */
async function sendToBroker(watched, listener) {
  const { page, base } = watched;
  await page.goto(`${base}/pipelines/new`);
  await page.getByLabel('Name of the pipeline').fill('filler to broker');
  await page.getByRole('button', { name: 'Add When data arrives' }).click();
  await page.getByRole('button', { name: 'Add Function' }).click();
  await page.locator('.react-flow__edge').first().waitFor({ state: 'attached' });
  for (const [id, title, label] of [
    ['function', 'When data arrives', 'Bottling line/Five tags'],
    ['function2', 'Function', 'Broker/Publish tags'],
  ]) {
    await node(page, id).click();
    const panel = page.getByRole('region', { name: `Node ${title}`, exact: true });
    await panel.getByLabel('Function', { exact: false }).first().selectOption({ label });
  }
  await page.locator('output[data-settled="true"]').waitFor();
  await page.getByText('No problems').waitFor();
  await watched.isAccessible('the pipeline');
  await picture(watched, 'first-hour-pipeline');
  await page.getByRole('button', { name: 'Create pipeline' }).click();
  await page.getByRole('heading', { name: 'filler to broker' }).waitFor();
  const [line] = await listener.said(/plant\/filler .*tankLevel.*/, 60);
  check(/"speed":/.test(line), `The broker was given ${line}`);
}

async function suspend(watched, id) {
  const { page, base } = watched;
  await page.goto(`${base}/connections/${id}`);
  await page.getByRole('button', { name: 'Suspend', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(/^Reason/).fill(kReason);
  await dialog.getByText('Five tags').first().waitFor();
  await watched.isAccessible('suspending');
  await picture(watched, 'first-hour-suspend');
  await dialog.getByRole('button', { name: 'Suspend', exact: true }).click();
  await page.getByText(kReason).first().waitFor();
  const state = async () => (await ask(watched, 'GET', `/connections/${id}`)).state.status;
  check(await until(async () => (await state()) === 'Suspended', 30), 'It is not suspended.');
}

const lengthOf = (page) => {
  const { searchParams } = new URL(page.url());
  return Date.parse(searchParams.get('to')) - Date.parse(searchParams.get('from'));
};

/** Around the end of the time axis, by the wheel, until it shows a few minutes; for the picture. */
async function zoomToNow({ page }) {
  await page.getByText('1 h', { exact: true }).click();
  const axis = page.getByRole('group', { name: /^Time axis/ });
  const { width, height } = await axis.boundingBox();
  for (let shown = Number.POSITIVE_INFINITY; shown > kShownMs; ) {
    const before = shown;
    // What is still coming above it moves it away from under the wheel.
    shown = await until(async () => {
      await axis.hover({ position: { x: width - 2, y: height / 2 } });
      await page.mouse.wheel(0, -300);
      return (await until(() => lengthOf(page) < before, 2)) && lengthOf(page);
    }, 60);
    check(shown, `The wheel did not zoom: ${page.url()}`);
  }
}

/** The health page knows when it was suspended, and why. */
async function findIt(watched) {
  const { page } = watched;
  await page
    .getByRole('navigation', { name: 'Main' })
    .getByRole('link', { name: 'Health' })
    .click();
  await page.getByRole('heading', { name: 'Connection health' }).waitFor();
  await page.getByRole('button', { name: 'Events of Bottling line' }).click();
  const reason = page.getByRole('cell', { name: kReason });
  await reason.waitFor();
  await page.getByRole('cell', { name: 'ada' }).first().waitFor();
  await watched.isAccessible('health');
  if (!watched.screenshots) return;
  // In a day, a second of it would not be seen.
  await page.waitForTimeout(30_000);
  await zoomToNow(watched);
  await reason.evaluate((cell) => cell.closest('table').scrollIntoView({ block: 'end' }));
  await picture(watched, 'first-hour-health');
}

async function journey(demo, watched) {
  const { page } = watched;
  await signUp(watched, demo);
  await page.getByRole('heading', { name: 'First steps' }).waitFor();
  await picture(watched, 'first-hour-empty');
  const brokerPort = await freePort();
  // Debian keeps it where a person's PATH does not look.
  const broker = demo.spawn(process.env.MOSQUITTO ?? '/usr/sbin/mosquitto', [
    '-p',
    String(brokerPort),
  ]);
  await broker.said(/running/, 30);
  const listener = demo.spawn('mosquitto_sub', ['-p', String(brokerPort), '-t', 'plant/#', '-v']);
  await connect(watched, {
    search: '502',
    connector: 'Modbus',
    port: demo.plantPort,
    name: 'Bottling line',
    shown: 'first-hour-test',
  });
  await pickTags(watched);
  const id = await seeThemLive(watched);
  await connect(watched, { search: 'broker', connector: 'MQTT', port: brokerPort, name: 'Broker' });
  await publishFunction(watched);
  await sendToBroker(watched, listener);
  await suspend(watched, id);
  await findIt(watched);
}

run(journey, {
  done: 'The first hour: connected, picked, seen, sent, suspended with a reason, and found again.',
  empty: true,
});
