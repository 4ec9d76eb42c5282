// The settings by clicking, in a real browser, against a real hub: a token is made, a certificate that a server showed is trusted and
// removed again, secrets are looked through, the log is changed, diagnostics are downloaded and hold no secret, and the audit tells
// all of it. Every page in both themes and on a phone without serious accessibility problems.
//
//   TRIBUTARY_BIN=build/release/bin/tributary node tests/browser/settings.mjs [--screenshots DIR]
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { check, run, until } from './support.mjs';

const kPassword = 'correct horse battery';
const kSecret = 'canary-of-the-broker';

/** Asks the hub as the page would. */
function ask({ page }, method, path, body) {
  return page.evaluate(
    async ([how, where, what]) => {
      const answer = await fetch(`/api/v1${where}`, {
        method: how,
        headers: { 'X-Requested-With': 'tributary', 'Content-Type': 'application/json' },
        ...(what ? { body: JSON.stringify(what) } : {}),
      });
      return answer.json();
    },
    [method, path, body],
  );
}

const tab = (page, name) =>
  page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name });

async function signUp({ page }, demo) {
  await page.goto(demo.setupLink);
  await page.getByLabel('User name').fill('ada');
  await page.getByRole('textbox', { name: 'Password' }).fill(kPassword);
  await page.getByRole('button', { name: 'Create administrator' }).click();
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByText('API version').waitFor();
}

/** A token is shown once; revoked, it is gone. */
async function access(watched) {
  const { page } = watched;
  await tab(page, 'Access').click();
  await page.getByRole('cell', { name: 'ada you' }).waitFor();
  await watched.isAccessible('access');
  await page.getByRole('button', { name: 'Create token' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('grafana');
  await dialog.getByRole('button', { name: 'Create token' }).click();
  const token = await dialog.getByTestId('token').textContent();
  check(/^trb_/.test(token), `The token is shown as ${token}.`);
  await watched.isAccessible('new token');
  await dialog.getByRole('button', { name: 'I have copied it' }).click();
  await page.getByRole('cell', { name: 'grafana', exact: true }).waitFor();
  await watched.screenshot('settings-access');
  await page.getByRole('button', { name: 'Revoke: grafana' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await page.getByText('Token “grafana” is revoked.').waitFor();
  return token;
}

/** The hub's own listener plays the broker whose certificate nobody knows: TLS is as far as it gets. */
async function certificates(watched, demo) {
  const { page } = watched;
  const made = await ask(watched, 'POST', '/connections', {
    name: 'Stranger',
    type: 'mqtt',
    settings: {
      host: '127.0.0.1',
      port: Number(new URL(demo.base).port),
      tls: { enabled: true },
      username: 'me',
    },
    secrets: { password: kSecret },
    autostart: true,
  });
  check(made.id, `The connection was not made: ${JSON.stringify(made)}`);
  await tab(page, 'Certificates').click();
  const trust = page.getByRole('button', { name: /^Trust: / });
  await trust.waitFor({ timeout: 60_000 });
  await watched.isAccessible('certificates');
  await watched.screenshot('settings-certificates');
  await trust.click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Why it was refused').waitFor();
  const [own] = (await ask(watched, 'GET', '/certificates?state=own')).items.filter((one) =>
    one.usedBy.some(({ role }) => role === 'hub'),
  );
  await dialog.getByText(own.sha256, { exact: true }).waitFor();
  await watched.isAccessible('trust dialog');
  await watched.screenshot('settings-trust');
  await dialog.getByRole('button', { name: 'Trust', exact: true }).click();
  await page.getByText(/is trusted\.$/).waitFor();
  await page.getByRole('button', { name: /^Trusted 1$/ }).click();
  await page.getByRole('button', { name: /^Remove: / }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await page.getByText(/is removed\.$/).waitFor();
  await ask(watched, 'POST', `/connections/${made.id}/suspend`, { reason: 'It is no broker.' });
}

async function secrets(watched) {
  const { page } = watched;
  await tab(page, 'Secrets').click();
  const row = page.getByRole('row', { name: /Stranger.*password/ });
  await row.getByText('Sealed in the hub').waitFor();
  await watched.isAccessible('secrets');
  await watched.screenshot('settings-secrets');
  await page.getByLabel('Only what is not set').check();
  await row.waitFor({ state: 'detached' });
  await page.getByLabel('Only what is not set').uncheck();
  await page.getByLabel('Filter by name or by what uses it').fill('no such thing');
  await page.getByText('No secret matches.').waitFor();
  await watched.isAccessible('secrets, none found');
  await page.getByLabel('Filter by name or by what uses it').fill('strang');
  await row.waitFor();
}

async function system(watched, demo, token) {
  const { page } = watched;
  await tab(page, 'System').click();
  await page.getByText(demo.folder).waitFor();
  await page.getByLabel('Another level for…').selectOption('connect');
  await page.getByText('The log is changed.').waitFor();
  await page.getByLabel('Level of connect').selectOption({ label: 'Info' });
  const levels = async () => {
    const { components } = await ask(watched, 'GET', '/system/log');
    return components.connect === 'info';
  };
  check(await until(levels, 30), 'The level of connect was not changed.');
  await watched.isAccessible('system');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('button', { name: 'Copy as…' }).click();
  await page.getByRole('menuitem', { name: 'curl' }).click();
  const curl = await until(() => page.evaluate(() => navigator.clipboard.readText()), 30);
  check(
    curl.includes('/api/v1/system') && curl.includes('$TRIBUTARY_TOKEN'),
    `What was copied as curl is:\n${curl}`,
  );
  await watched.screenshot('settings-system');
  const started = page.waitForEvent('download', { timeout: 120_000 });
  await page.getByRole('button', { name: 'Download diagnostics' }).click();
  const download = await started;
  check(
    /^tributary-diagnostics-\d{8}T\d{6}Z\.tar\.gz$/.test(download.suggestedFilename()),
    `The file is called ${download.suggestedFilename()}.`,
  );
  const text = gunzipSync(readFileSync(await download.path())).toString('latin1');
  check(/connections\.json/.test(text) && /Stranger/.test(text), 'The archive is not complete.');
  for (const secret of [kSecret, kPassword, token, demo.code])
    check(!text.includes(secret), `The diagnostics hold the secret ${secret}.`);
}

async function audit(watched) {
  const { page } = watched;
  await tab(page, 'Audit').click();
  await page.getByText('certificate.trust').first().waitFor();
  await page.getByRole('button', { name: 'Details of system.log' }).first().click();
  await page.getByText(/"connect": "info"/).waitFor();
  await watched.isAccessible('audit');
  await watched.screenshot('settings-audit');
  await page.getByLabel('About', { exact: true }).selectOption({ label: 'Tokens' });
  await page.getByText('certificate.trust').first().waitFor({ state: 'detached' });
  await page.getByText('token.revoke').first().waitFor();
  await page.getByLabel('Filter by who, what or about what').fill('nobody at all');
  await page.getByText('No row matches.').waitFor();
  await page.getByRole('button', { name: 'Show all' }).click();
  await page.getByText('auth.setup').first().waitFor();
}

const pages = [
  ['access', (page) => page.getByRole('cell', { name: 'ada you' })],
  ['certificates', (page) => page.getByRole('button', { name: /^Own \d/ })],
  ['secrets', (page) => page.getByRole('row', { name: /Stranger.*password/ })],
  ['system', (page) => page.getByLabel('Level of everything')],
  ['audit', (page) => page.getByText('auth.setup').first()],
];

async function darkAndSmall(watched) {
  const { page, base } = watched;
  await page.getByRole('button', { name: 'Use the dark theme' }).click();
  for (const [name, sign] of pages) {
    await page.goto(`${base}/settings/${name}`);
    await sign(page).waitFor();
    await watched.isAccessible(`${name} (dark)`);
    await watched.screenshot(`settings-${name}-dark`);
  }
  await page.setViewportSize({ width: 390, height: 844 });
  for (const [name, sign] of pages) {
    await page.goto(`${base}/settings/${name}`);
    await sign(page).waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    check(wide <= 390, `${name} is ${wide} pixels wide on a phone of 390.`);
    await watched.isAccessible(`${name} (phone)`);
  }
}

async function journey(demo, watched) {
  await signUp(watched, demo);
  const token = await access(watched);
  await certificates(watched, demo);
  await secrets(watched);
  await system(watched, demo, token);
  await audit(watched);
  await darkAndSmall(watched);
}

run(journey, {
  done: 'Token, certificate, secrets, log, diagnostics and audit were gone through by clicking.',
  fullPage: true,
});
