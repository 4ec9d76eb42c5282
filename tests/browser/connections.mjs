// Connections by clicking, in a real browser, against a real hub: made by the wizard after a test that failed first, found by what
// plant engineers type, commanded many at once, explained when down, browsed, trusted; a conflict on saving, a session that ends
// and a hub that goes away and comes back are shown and survived. Everything in both themes without serious accessibility problems.
//
//   TRIBUTARY_BIN=build/release/bin/tributary node tests/browser/connections.mjs [--screenshots DIR]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, check, freePort, run, signUp, until } from './support.mjs';

// Where the server with a certificate of its own will listen.
const kMesPort = await freePort();

const button = (scope, name) => scope.getByRole('button', { name, exact: true });
const tab = (page, connection, name) =>
  page.getByRole('navigation', { name: connection }).getByRole('link', { name, exact: true });

// The link counts what is down, too.
const toConnections = (page) =>
  page
    .getByRole('link', { name: /^Connections/ })
    .first()
    .click();

/** By what people type: a vendor, a port, an alias. */
async function findConnector(watched) {
  const { page } = watched;
  await page.getByRole('link', { name: 'Add connection' }).first().click();
  const search = page.getByLabel('Search', { exact: true });
  for (const [words, connector] of [
    ['Siemens', 'Siemens S7'],
    ['102', 'Siemens S7'],
    ['mosquitto', 'MQTT'],
  ]) {
    await search.fill(words);
    await page.getByRole('link', { name: connector, exact: true }).waitFor();
  }
  await watched.isAccessible('gallery, searched');
  await search.fill('schneider');
  await page.getByRole('link', { name: 'Modbus', exact: true }).click();
}

/** Endpoint → test that fails → back at the field → test that passes → name → first function. */
async function makeByWizard(watched, demo) {
  const { page } = watched;
  const nobody = await freePort();
  await page.getByLabel(/^Host/).fill('127.0.0.1');
  await page.getByLabel(/^Port/).fill(String(nobody));
  await page.getByRole('region', { name: 'Guide: Modbus' }).getByText('Quick start').waitFor();
  await watched.isAccessible('wizard, endpoint');
  await button(page, 'Test connection').click();
  await page.getByText('Stopped at “Reach the port”.').waitFor();
  await page.getByText('Likely causes').waitFor();
  await page.getByText('Raw detail').click();
  await watched.isAccessible('wizard, failed test');
  await watched.screenshot('wizard-failed');
  await button(page, 'Go to the field').click();
  const host = page.getByLabel(/^Host/);
  check(
    await until(() => host.evaluate((input) => input === document.activeElement), 10),
    'The jump to the field did not put the cursor into it.',
  );
  await page.getByLabel(/^Port/).fill(String(demo.plantPort));
  await button(page, 'Test connection').click();
  await page.getByText('Everything answers.').waitFor();
  await watched.screenshot('wizard-tested');
  await button(page, 'Next').click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Second filler');
  await page.getByLabel('Environment').selectOption('test');
  await watched.isAccessible('wizard, name');
  await button(page, 'Save connection').click();
  await page.getByText('What should it do?').waitFor();
}

/** Overview, events and settings of a connection that is well. */
async function everyTab(watched, name) {
  const { page } = watched;
  await toConnections(page);
  await page.getByRole('link', { name, exact: true }).click();
  for (const [title, sign] of [
    ['Overview', () => page.getByRole('region', { name: 'How it is' })],
    ['Events', () => page.getByRole('region', { name: 'Events' }).locator('ol li').first()],
    ['Settings', () => page.getByRole('region', { name: 'Versions' }).getByText('current')],
    ['Used by', () => page.getByRole('link', { name: 'Beacon follows alarms' }).first()],
  ]) {
    await tab(page, name, title).click();
    await sign().waitFor();
    await watched.isAccessible(`connection, ${title}`);
    await watched.screenshot(`connection-${title.toLowerCase().replace(' ', '-')}`);
  }
}

/** Somebody else saves in between: what they changed is shown, and what both changed is kept. */
async function conflict(watched, name) {
  const { page } = watched;
  const { items } = await ask(watched, 'GET', `/connections?name=${encodeURIComponent(name)}`);
  const [one] = items;
  await page.goto(`${watched.base}/connections/${one.id}/settings`);
  const description = page.getByLabel('Description');
  await description.fill('Changed here');
  const patched = await page.evaluate(
    async ([id, version]) => {
      const answer = await fetch(`/api/v1/connections/${id}`, {
        method: 'PATCH',
        headers: {
          'X-Requested-With': 'tributary',
          'Content-Type': 'application/merge-patch+json',
          'If-Match': `"${version}"`,
        },
        body: JSON.stringify({ labels: { shift: 'night' } }),
      });
      return answer.status;
    },
    [one.id, one.version],
  );
  check(patched === 200, `The other person's change was answered with ${patched}.`);
  await button(page, 'Save changes').click();
  await page.getByText('/labels/shift').waitFor();
  await watched.isAccessible('conflict on saving');
  await watched.screenshot('connection-conflict');
  await button(page, 'Save my changes on top').click();
  await page.getByText(`“${name}” is saved.`).waitFor();
  const merged = await ask(watched, 'GET', `/connections/${one.id}`);
  check(
    merged.description === 'Changed here' && merged.labels.shift === 'night',
    `After the conflict there is ${JSON.stringify([merged.description, merged.labels])}.`,
  );
  return one.id;
}

/** How it reconnects: folded away; what is set there, and nothing else, becomes part of the connection. */
async function reconnecting(watched, id) {
  const { page } = watched;
  await page.goto(`${watched.base}/connections/${id}/settings`);
  await page.getByText('Reconnecting and timeouts').click();
  await page.getByLabel('Longest wait').fill('5000');
  await watched.isAccessible('reconnecting');
  await button(page, 'Save changes').click();
  await page.getByText('is saved.').first().waitFor();
  const { reconnect } = await ask(watched, 'GET', `/connections/${id}`);
  check(
    JSON.stringify(reconnect) === '{"maxDelayMs":5000}',
    `How it reconnects was stored as ${JSON.stringify(reconnect)}.`,
  );
}

/** Why is it down: cause and countdown; what was changed before; tested now. */
async function whyDown(watched, id) {
  const { page } = watched;
  const nobody = await freePort();
  const port = page.getByLabel(/^Port/);
  await port.fill(String(nobody));
  await button(page, 'Save changes').click();
  await page.getByText('is saved.').last().waitFor();
  await page.goto(`${watched.base}/connections/${id}/overview`);
  const card = page.getByRole('region', { name: 'Why it is down' });
  await card.getByText('refused').first().waitFor();
  await card.getByText('The settings were changed.').first().waitFor();
  await button(page, 'Test now').click();
  await page.getByText('Stopped at “Reach the port”.').waitFor();
  await watched.isAccessible('why it is down');
  await watched.screenshot('connection-why');
}

/** Filtered by label, chosen, suspended together with a reason; the outcome is told for each. */
async function commandMany(watched) {
  const { page } = watched;
  await toConnections(page);
  await page.getByLabel('Only with this label').selectOption('site: demo');
  await until(
    async () => (await page.getByRole('link', { name: 'Second filler' }).count()) === 0,
    10,
  );
  await page.getByLabel('Only with this label').selectOption('');
  await page.getByLabel('Choose all that are shown').check();
  const bar = page.getByRole('region', { name: 'For the chosen connections' });
  await bar.getByText('2 chosen').waitFor();
  await button(bar, 'Suspend').click();
  const dialog = page.getByRole('dialog', { name: 'Suspend 2 connections' });
  await dialog
    .getByText(/Beacon follows alarms/)
    .first()
    .waitFor();
  await dialog.getByLabel('Reason').fill('Overhaul');
  await dialog.getByLabel('End by itself').selectOption({ label: 'in 1 h' });
  await watched.isAccessible('suspend dialog for many');
  await watched.screenshot('connections-suspend');
  await button(dialog, 'Suspend').click();
  const outcome = page.getByRole('dialog', { name: 'What became of suspending' });
  await outcome.getByText('2 done, 0 refused.').waitFor();
  await watched.isAccessible('outcome of a command for many');
  await page.keyboard.press('Escape');
  await page.getByRole('row').filter({ hasText: 'Suspended' }).nth(1).waitFor();
  await button(bar, 'Resume and start').click();
  await page.getByRole('dialog').getByText('2 done, 0 refused.').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('row').filter({ hasText: 'Connected' }).first().waitFor();
  // By keyboard alone: sorted by status, what is wrong comes first.
  const sort = page.getByRole('columnheader', { name: 'Status' }).getByRole('button');
  await sort.focus();
  await page.keyboard.press('Enter');
  await page.locator('th[aria-sort="ascending"]').filter({ hasText: 'Status' }).waitFor();
  await button(bar, 'Choose none').click();
}

/** Tree of an OPC UA server, by keyboard; what is chosen begins a function. */
async function browse(watched, demo) {
  const { page } = watched;
  const plant = demo.spawn(demo.binary, [
    ...['simulate', 'plant', '--host', '127.0.0.1', '--port', '0', '--opcua-port', '0'],
  ]);
  const [endpointUrl] = await plant.said(/opc\.tcp:\/\/127\.0\.0\.1:\d+/, 60);
  const made = await ask(watched, 'POST', '/connections', {
    name: 'Filler by OPC UA',
    type: 'opcua',
    autostart: true,
    settings: {
      endpointUrl,
      securityMode: 'None',
      allowInsecure: true,
    },
  });
  check(made.id, `The OPC UA connection was refused: ${JSON.stringify(made)}`);
  await page.goto(`${watched.base}/connections/${made.id}/browse`);
  const item = (name) => page.getByRole('treeitem', { name });
  await item(/^Objects/).waitFor();
  await item(/^Objects/).focus();
  await page.keyboard.press('ArrowRight');
  await item(/^Filler/).waitFor();
  await item(/^Filler/).focus();
  await page.keyboard.press('ArrowRight');
  const variable = page.locator('[role="treeitem"][aria-level="3"][aria-checked]');
  await variable.nth(1).waitFor();
  await variable.first().focus();
  await page.keyboard.press('Space');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Shift+Space');
  await page.getByText(/^\d+ chosen$/).waitFor();
  await watched.isAccessible('browse');
  await watched.screenshot('connection-browse');
  await button(page, 'New function with these').click();
  await page.getByText('What should it do?').waitFor();
  await page.getByRole('button', { name: /^Read/ }).first().click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).first().waitFor();
}

/** A key and a certificate that vouches for itself. */
function selfSigned() {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-certificate-'));
  try {
    const key = join(folder, 'key.pem');
    const cert = join(folder, 'cert.pem');
    const made = spawnSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
        ...['-keyout', key, '-out', cert, '-days', '30', '-subj', '/CN=mes.plant'],
        ...['-addext', 'subjectAltName=IP:127.0.0.1'],
      ],
      { encoding: 'utf8' },
    );
    check(made.status === 0, `openssl made no certificate:\n${made.stderr}`);
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A server whose certificate nobody vouches for: looked at, compared, trusted. */
async function trust(watched) {
  const { page } = watched;
  const server = createServer(selfSigned(), (_, answer) => answer.end('{}'));
  await new Promise((resolve) => server.listen(kMesPort, '127.0.0.1', resolve));
  try {
    const made = await ask(watched, 'POST', '/connections', {
      name: 'MES',
      type: 'rest',
      autostart: true,
      settings: { baseUrl: `https://127.0.0.1:${kMesPort}` },
    });
    check(made.id, `The REST connection was refused: ${JSON.stringify(made)}`);
    await page.goto(`${watched.base}/connections/${made.id}/overview`);
    await button(page, 'Look at the certificate').first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Fingerprint (SHA-256)').waitFor();
    check(
      await button(dialog, 'Trust this certificate').isDisabled(),
      'Trust takes no comparison.',
    );
    await watched.isAccessible('trust dialog');
    await watched.screenshot('connection-trust');
    await dialog.getByRole('checkbox').check();
    await button(dialog, 'Trust this certificate').click();
    await dialog.getByText(/is trusted/).waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('Connected', { exact: true }).first().waitFor();
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Nobody vouches for the server, and nothing is saved yet: trusted within the wizard, tested again, saved, connected. */
async function trustInTheWizard(watched, demo) {
  const { page } = watched;
  const plant = demo.spawn(demo.binary, [
    ...['simulate', 'plant', '--host', '127.0.0.1', '--port', '0', '--opcua-port', '0'],
  ]);
  const [endpointUrl] = await plant.said(/opc\.tcp:\/\/127\.0\.0\.1:\d+/, 60);
  const [, fingerprint] = await plant.said(/SHA-256 of its certificate: ([0-9A-F:]+)/, 60);
  await page.goto(`${watched.base}/connections/new/opcua`);
  await page.getByLabel(/^Endpoint URL/).fill(endpointUrl);
  await button(page, 'Next').click();
  await button(page, 'Test connection').click();
  await page.getByText('Certificate not trusted').waitFor();
  await watched.screenshot('wizard-untrusted');
  await button(page, 'Look at the certificate').click();
  const dialog = page.getByRole('dialog', { name: `Certificate of ${endpointUrl}` });
  await dialog.getByText(fingerprint, { exact: true }).waitFor();
  const us = dialog.getByRole('region', { name: 'How the server comes to trust us' });
  await us.getByText('Fingerprint (SHA-256)').waitFor();
  check(
    await button(dialog, 'Trust this certificate').isDisabled(),
    'Trust in a draft takes no comparison.',
  );
  await watched.isAccessible('trust dialog of a draft');
  await watched.screenshot('wizard-trust');
  await dialog.getByRole('checkbox').check();
  await button(dialog, 'Trust this certificate').click();
  await page.getByText('Everything answers.').waitFor();
  await button(page, 'Next').click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Secured filler');
  await button(page, 'Save connection').click();
  await page.getByText('What should it do?').waitFor();
  const { items } = await ask(watched, 'GET', '/connections?name=Secured%20filler');
  await page.goto(`${watched.base}/connections/${items[0].id}/overview`);
  await page.getByText('Connected', { exact: true }).first().waitFor();
}

/** The session ends while one types: one signs in again in place, and goes on with what was typed. */
async function sessionEnds(watched) {
  const { page } = watched;
  await page.goto(`${watched.base}/connections/new/mqtt`);
  await page.getByLabel(/^Host/).fill('broker.plant.local');
  await page.context().clearCookies();
  await button(page, 'Next').click();
  await button(page, 'Save without testing').click();
  await button(page, 'Save connection').click();
  const dialog = page.getByRole('dialog', { name: 'Sign in' });
  await dialog.getByLabel('User name').fill('ada');
  await dialog.getByRole('textbox', { name: 'Password' }).fill('correct horse battery');
  await watched.isAccessible('session ended');
  await button(dialog, 'Sign in').click();
  await page.getByText('What should it do?').waitFor();
}

/** The hub goes away and comes back: told, and then live again by itself. */
async function hubGoesAndComes(watched, demo) {
  const { page } = watched;
  await toConnections(page);
  await page.getByRole('link', { name: 'Bottling line' }).waitFor();
  await demo.hub.stop();
  await page.getByText('Stale', { exact: true }).waitFor();
  await watched.screenshot('hub-gone');
  await demo.startHub();
  await page.getByText('Live', { exact: true }).waitFor();
  await page.getByRole('row').filter({ hasText: 'Bottling line' }).getByText('Connected').waitFor();
}

async function inTheDark(watched) {
  const { page } = watched;
  await page.emulateMedia({ colorScheme: 'dark' });
  for (const [name, path, sign] of [
    ['connections', '/connections', 'Bottling line'],
    ['gallery', '/connections/new', 'Modbus'],
    ['wizard', '/connections/new/opcua', 'Guide: OPC UA'],
  ]) {
    await page.goto(watched.base + path);
    await page.getByText(sign).first().waitFor();
    await watched.isAccessible(`${name} (dark)`);
    await watched.screenshot(`${name}-dark`);
  }
  // On a telephone one looks at the list and at the cause; nothing may stick out sideways.
  await page.setViewportSize({ width: 390, height: 800 });
  for (const path of ['/connections', `/connections/${watched.second}/overview`]) {
    await page.goto(watched.base + path);
    await page.getByText('Second filler').first().waitFor();
    const wide = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    check(wide <= 0, `${path} is ${wide} px wider than a telephone.`);
    await watched.screenshot(`telephone${path.replaceAll('/', '-')}`);
  }
}

async function journey(demo, watched) {
  const { page } = watched;
  await signUp(watched, demo);
  await toConnections(page);
  await findConnector(watched);
  await makeByWizard(watched, demo);
  await everyTab(watched, 'Bottling line');
  watched.second = await conflict(watched, 'Second filler');
  await reconnecting(watched, watched.second);
  await whyDown(watched, watched.second);
  await commandMany(watched);
  await browse(watched, demo);
  await trust(watched);
  await trustInTheWizard(watched, demo);
  await sessionEnds(watched);
  await hubGoesAndComes(watched, demo);
  await inTheDark(watched);
}

run(journey, {
  done: 'Connections can be made, found, explained, commanded, browsed and trusted; what goes wrong is shown and survived.',
  // The hub sends nothing to its own machine unless it is told to.
  flags: ['--allow-egress', `127.0.0.1:${kMesPort}`],
  // A refused save, an ended session and a hub that is away are part of the journey.
  expected: /status of (409|412|502|503)|WebSocket|ERR_CONNECTION_REFUSED|Failed to load resource/,
});
