// The health of connections, in a real browser, against a real hub: a connection is suspended with a reason, and that time is found
// again; the plant goes away and comes back; the hub is killed and comes back, and the time without it is Unknown; the period is
// zoomed by keyboard, wheel and mouse; figures are saved as a file; maintenance is planned; a notice is made and tried.
//
//   TRIBUTARY_BIN=build/release/bin/tributary node tests/browser/health.mjs [--screenshots DIR]
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { ask, check, run, signUp, until } from './support.mjs';

const kReason = 'Valve replacement, line 1';
const kLine = 'Bottling line';
const received = [];

const receiver = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    received.push(JSON.parse(Buffer.concat(chunks).toString()));
    response.end('taken');
  });
});

const rowOf = (page) =>
  page
    .getByRole('listitem')
    .filter({ has: page.getByText(kLine) })
    .last();
const sharesOf = (page) => rowOf(page).getByRole('list', { name: 'Segments' });

async function open(watched, path) {
  await watched.page.goto(watched.base + path);
}

/** For maintenance, by a person, with a reason. */
async function suspendIt(watched) {
  const { page } = watched;
  await page.getByRole('link', { name: kLine }).click();
  await page.getByRole('button', { name: 'Stop', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Suspend', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(/^Reason/).fill(kReason);
  await dialog.getByRole('button', { name: 'Suspend', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
}

/** By clicking alone: the page of health, the connection, the time, the reason. */
async function findThatTime(watched) {
  const { page } = watched;
  await page.getByRole('link', { name: 'Health', exact: true }).first().click();
  await page.getByRole('heading', { name: 'Connection health' }).waitFor();
  await page.getByText('1 h', { exact: true }).click();
  await sharesOf(page)
    .getByText(/^Suspended, /)
    .waitFor({ state: 'attached' });
  await page.getByRole('button', { name: `Events of ${kLine}` }).click();
  await rowOf(page).getByText(kReason).waitFor();
  await rowOf(page).getByRole('cell', { name: 'ada' }).first().waitFor();
  await watched.isAccessible('health, suspended');
  await watched.screenshot('health-suspended');
}

async function outage(watched, demo) {
  const { page } = watched;
  const { items } = await ask(watched, 'GET', '/connections');
  const [{ id }] = items;
  await ask(watched, 'POST', `/connections/${id}/resume`, { start: true });
  const is = (status) => async () =>
    (await ask(watched, 'GET', `/connections/${id}`)).state.status === status;
  check(await until(is('Connected'), 60), 'The connection did not come back after the suspension.');
  await demo.plant.stop();
  const lost = await until(async () => !(await is('Connected')()), 60);
  check(lost, 'The connection did not notice that the plant is gone.');
  await open(watched, '/health?last=h1');
  const issues = page.getByRole('region', { name: /Current issues/ });
  await issues.getByRole('link', { name: kLine }).waitFor();
  await watched.isAccessible('health, outage');
  await watched.screenshot('health-outage');
  await demo.startPlant();
  check(await until(is('Connected'), 120), 'The connection did not come back with the plant.');
  await open(watched, `/connections/${id}/health?last=h1`);
  const group = page.getByRole('row', { name: /Outage/ }).first();
  await group.getByRole('button', { name: /changes?$/ }).click();
  await page.getByText('Reconnecting').first().waitFor();
  await watched.isAccessible('health of a connection');
  await watched.screenshot('health-connection');
  return id;
}

/** The hub dies and comes back: nobody knows of the time between, and nothing of it is green. */
async function withoutHub(watched, demo, id) {
  const { page } = watched;
  await demo.killHub();
  await new Promise((resolve) => setTimeout(resolve, 3000));
  await demo.startHub();
  await open(watched, `/connections/${id}/health?last=h1`);
  await page
    .getByRole('row', { name: /Unknown.*The hub was down/ })
    .first()
    .waitFor();
  await open(watched, '/health?last=h1');
  await sharesOf(page)
    .getByText(/^Unknown, /)
    .waitFor({ state: 'attached' });
  await page.getByRole('button', { name: `Events of ${kLine}` }).click();
  await rowOf(page).getByText('The hub was down, so nobody knows.').waitFor();
  await watched.screenshot('health-hub-down');
}

const lengthOf = (page) => {
  const params = new URL(page.url()).searchParams;
  return Date.parse(params.get('to')) - Date.parse(params.get('from'));
};
const kHour = 3_600_000;

/** By keyboard, wheel and mouse, and back to what it was by one click. */
async function zoom(watched) {
  const { page } = watched;
  await open(watched, '/health?last=h6');
  await rowOf(page).waitFor();
  const axis = page.getByRole('group', { name: /^Time axis/ });
  await axis.focus();
  await page.keyboard.press('+');
  check(
    await until(() => lengthOf(page) === 3 * kHour, 20),
    `The key + did not zoom to 3 h: ${page.url()}`,
  );
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('-');
  check(
    await until(() => lengthOf(page) === 6 * kHour, 20),
    `The key − did not zoom: ${page.url()}`,
  );
  const box = await axis.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.wheel(0, -300);
  check(await until(() => lengthOf(page) < 5 * kHour, 20), `The wheel did not zoom: ${page.url()}`);
  const before = lengthOf(page);
  await page.mouse.move(box.x + box.width * 0.25, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + box.height / 2, { steps: 4 });
  await page.mouse.up();
  check(
    await until(() => Math.abs(lengthOf(page) / before - 0.25) < 0.02, 20),
    `Dragging over a quarter did not zoom to it: ${page.url()}`,
  );
  await page.getByRole('button', { name: 'Zoom out' }).click();
  check(await until(() => lengthOf(page) > before * 0.4, 20), `Zoom out did not: ${page.url()}`);
  await page.getByText('24 h', { exact: true }).click();
  await page.waitForURL(/last=d1/);
}

async function narrowAndSave(watched) {
  const { page } = watched;
  await page.getByLabel('Any label').selectOption('line:1');
  await page.getByLabel('Any type').selectOption('modbus');
  await page.waitForURL(/label=line%3A1/);
  await rowOf(page).waitFor();
  await page.getByLabel('Filter by name').fill('no such name');
  await page.getByText('No connection matches the filters.').waitFor();
  await page.getByRole('button', { name: 'Show all' }).click();
  await rowOf(page).waitFor();
  await page.getByRole('button', { name: 'Export' }).click();
  const saved = page.waitForEvent('download');
  await page.getByRole('menuitem', { name: 'Figures as CSV' }).click();
  const text = readFileSync(await (await saved).path(), 'utf8');
  check(/uptimePercent/.test(text) && text.includes(kLine), `The file says:\n${text}`);
  await page.getByRole('button', { name: 'Past alarms' }).click();
  await page
    .getByRole('table', { name: 'Past alarms of the period' })
    .or(page.getByText('There are no past alarms of this period.'))
    .waitFor();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('button', { name: 'Copy as…' }).click();
  await page.getByRole('menuitem', { name: 'curl' }).click();
  const curl = await until(() => page.evaluate(() => navigator.clipboard.readText()), 30);
  check(
    /health\/connections\?from=.*sort=failures/.test(curl),
    `What was copied as curl is:\n${curl}`,
  );
}

/** With what is missing told at its field, its next time shown before it is kept, switched off and deleted. */
async function planMaintenance(watched) {
  const { page } = watched;
  await page.getByRole('link', { name: 'Maintenance', exact: true }).click();
  await page.getByText('No maintenance is planned').waitFor();
  await watched.isAccessible('maintenance, empty');
  await page.getByRole('link', { name: 'Plan maintenance' }).click();
  await page.getByLabel(/^Name/).fill('Sunday updates');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Fill this in.').first().waitFor();
  await page.getByLabel(/^Reason/).fill('PLC firmware');
  await page.getByLabel('How often').selectOption({ label: 'Every week' });
  await page.getByRole('checkbox', { name: 'Sun' }).check();
  await page.getByLabel(/^Begins at/).fill('02:00');
  await page.getByLabel(/^Lasts/).fill('120');
  await page.getByRole('button', { name: `Add ${kLine}` }).click();
  await page.getByText(/^Next: /).waitFor();
  await watched.isAccessible('maintenance, form');
  await watched.screenshot('maintenance-form');
  await page.getByRole('button', { name: 'Save' }).click();
  const row = page.getByRole('row', { name: /Sunday updates/ });
  await row.getByText('Every Sun at 02:00, for 120 min').waitFor();
  await watched.isAccessible('maintenance');
  await watched.screenshot('maintenance');
  await row.getByText(/^in /).waitFor();
  await row.getByRole('switch', { name: 'Enable Sunday updates' }).click();
  await row.getByText('disabled').waitFor();
  await row.getByRole('link', { name: 'Sunday updates' }).click();
  await page.getByText('The next times').waitFor();
  await page.getByLabel(/^Lasts/).fill('90');
  await page.getByRole('button', { name: 'Save' }).click();
  await row.getByText('Every Sun at 02:00, for 90 min').waitFor();
  await row.getByRole('button', { name: 'Delete Sunday updates' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('No maintenance is planned').waitFor();
}

/** Refused where the hub must not send to; then sent to a receiver that takes it. */
async function makeNotice(watched) {
  const { page } = watched;
  await page.getByRole('link', { name: 'Notices', exact: true }).click();
  await page.getByText('Nobody is told yet').waitFor();
  await watched.isAccessible('notices, empty');
  await page.getByRole('link', { name: 'Add notice' }).click();
  await page.getByLabel(/^Name/).fill('shift');
  await page.getByLabel(/^Address/).fill('http://169.254.169.254/hook');
  await page.getByRole('checkbox', { name: 'Disconnected' }).check();
  await page.getByRole('textbox', { name: 'Signing secret' }).fill('s3cret');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('One field needs attention.').waitFor();
  await watched.isAccessible('notice, refused');
  await watched.screenshot('notice-refused');
  await page.getByLabel(/^Address/).fill(`http://127.0.0.1:${receiver.address().port}/hook`);
  await page.getByRole('button', { name: 'Save' }).click();
  const row = page.getByRole('row', { name: /shift/ });
  await row.getByRole('button', { name: 'Send a test to shift' }).click();
  await page.getByText('The receiver took it.').waitFor();
  check(received.at(-1)?.type === 'test', `The receiver got ${JSON.stringify(received)}.`);
  await watched.isAccessible('notices');
  await watched.screenshot('notices');
  await row.getByRole('link', { name: 'shift' }).click();
  await page.getByText(/^Set, changed/).waitFor();
}

async function darkPages(watched, id) {
  const { page } = watched;
  await page.getByRole('button', { name: 'Use the dark theme' }).click();
  for (const [name, path, sign] of [
    ['health', '/health', () => sharesOf(page).getByText(/^Connected, /)],
    ['health-connection', `/connections/${id}/health`, () => page.getByText('Outage').first()],
    ['maintenance', '/health/maintenance', () => page.getByText('No maintenance is planned')],
    ['maintenance-form', '/health/maintenance/new', () => page.getByLabel('How often')],
    ['notices', '/health/notices', () => page.getByRole('link', { name: 'shift' })],
    ['notice-form', '/health/notices/new', () => page.getByLabel(/^Address/)],
  ]) {
    await open(watched, path);
    await sign().waitFor({ state: 'attached' });
    await watched.isAccessible(`${name} (dark)`);
    await watched.screenshot(`${name}-dark`);
  }
}

/** For monitoring, a telephone is enough. */
async function phone(watched) {
  const { page } = watched;
  await page.setViewportSize({ width: 390, height: 800 });
  await open(watched, '/health');
  await sharesOf(page)
    .getByText(/^Connected, /)
    .waitFor({ state: 'attached' });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  check(wide <= 0, `The page is ${wide} pixels wider than a telephone.`);
  await watched.isAccessible('health, phone');
  await watched.screenshot('health-phone');
}

async function journey(demo, watched) {
  await signUp(watched, demo);
  await suspendIt(watched);
  await findThatTime(watched);
  const id = await outage(watched, demo);
  await withoutHub(watched, demo, id);
  await zoom(watched);
  await narrowAndSave(watched);
  await planMaintenance(watched);
  await makeNotice(watched);
  await darkPages(watched, id);
  await phone(watched);
}

receiver.listen(0, '127.0.0.1', () => {
  receiver.unref();
  run(journey, {
    done: 'A suspension, an outage and the time without a hub were found; maintenance was planned and a notice sent.',
    // A hub that is down answers nothing, one that comes up is not ready at once, and a refused address is what is tested.
    expected: /ERR_|WebSocket|status of (422|50[234])/,
    fullPage: true,
    flags: ['--allow-egress', `127.0.0.1:${receiver.address().port}`],
  });
});
