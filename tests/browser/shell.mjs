// What is the same on every page, in a real browser against a real hub: search and commands by Ctrl-K, what is copied as curl, as a
// command and as YAML (and what these do when they are run), times in UTC, German, high contrast, a phone, the keyboard alone, and
// a hub that goes away and comes back.
//
//   TRIBUTARY_BIN=build/release/bin/tributary node tests/browser/shell.mjs [--screenshots DIR]
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ask, check, loaded, run, signUp, until } from './support.mjs';

const kLine = 'Bottling line';

async function palette({ page }, words, option) {
  await page.keyboard.press('Control+k');
  const field = page.getByRole('combobox', { name: 'Search and commands' });
  await field.waitFor();
  await page.keyboard.type(words);
  await page.getByRole('option', { name: option, selected: true }).waitFor();
  return field;
}

async function statusIs(watched, id, status) {
  const reached = async () =>
    (await ask(watched, 'GET', `/connections/${id}`)).state.status === status;
  check(await until(reached, 60), `${kLine} did not become ${status}.`);
}

/** To a page, and three things done, without touching the mouse. */
async function searchAndCommands(watched) {
  const { page } = watched;
  await page.getByRole('link', { name: kLine }).waitFor();
  const field = await palette(watched, 'bottl', kLine);
  await watched.isAccessible('palette');
  await watched.screenshot('palette-light');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: kLine }).waitFor();
  await field.waitFor({ state: 'detached' });
  const id = new URL(page.url()).pathname.split('/')[2];
  await palette(watched, 'stop bottl', /^Stop/);
  await page.keyboard.press('Enter');
  await page.getByText(`“${kLine}” is stopped.`).waitFor();
  await statusIs(watched, id, 'Idle');
  await palette(watched, 'start bottl', /^Start/);
  await page.keyboard.press('Enter');
  await page.getByText(`“${kLine}” is starting.`).waitFor();
  await statusIs(watched, id, 'Connected');
  await palette(watched, 'test bottl', /^Test/);
  await page.keyboard.press('Enter');
  await page.getByText(`“${kLine}”: everything answers.`).waitFor();
  await palette(watched, '', kLine);
  await page.keyboard.press('Escape');
  return id;
}

async function copied({ page }, as) {
  await page.evaluate(() => navigator.clipboard.writeText(''));
  await page.getByRole('button', { name: 'Copy as…' }).click();
  await page.getByRole('menuitem', { name: as }).click();
  const text = await until(() => page.evaluate(() => navigator.clipboard.readText()), 30);
  check(text, `Nothing was copied as ${as}.`);
  return text;
}

function inShell(script, environment) {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    timeout: 120_000,
  });
  check(status === 0, `This ended with ${status}:\n${script}\n${stdout}${stderr}`);
  return stdout;
}

/** What is copied does what it says: the hub finds nothing to change, and curl gets what the page shows. */
async function copyAs(watched, demo, id) {
  const { page } = watched;
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const folder = join(demo.folder, 'curl');
  mkdirSync(folder);
  // The hub's certificate is its own; a person would name it with --cacert and --ca-file.
  writeFileSync(join(folder, '.curlrc'), 'insecure\nsilent\n');
  const token = demo
    .command(['token', 'create', '--data-dir', demo.folder, '--name', 'copy', '--role', 'admin'])
    .trim();
  const environment = {
    TRIBUTARY_TOKEN: token,
    CURL_HOME: folder,
    PATH: `${dirname(demo.binary)}:${process.env.PATH}`,
  };
  const { items } = await ask(watched, 'GET', '/pipelines');
  for (const path of [`/connections/${id}`, `/pipelines/${items[0].id}`]) {
    await page.goto(`${watched.base}${path}`);
    const curl = await copied(watched, 'curl');
    check(curl.includes('$TRIBUTARY_TOKEN'), `The token is not a variable in:\n${curl}`);
    const { name } = JSON.parse(inShell(curl, environment));
    await page.getByRole('heading', { name }).waitFor();
    const yaml = await copied(watched, 'YAML');
    const plan = demo.command(['plan', '-', '--data-dir', demo.folder], yaml);
    check(
      plan.includes(name) && !/create|update/.test(plan),
      `What was copied as YAML is not what the hub has:\n${plan}\n${yaml}`,
    );
    const command = await copied(watched, /^Command line/);
    inShell(command.replace('apply -', 'apply - --insecure'), environment);
  }
}

async function choose({ page }, what, label) {
  await page.getByRole('button', { name: 'How things are shown' }).click();
  await page.getByLabel(what, { exact: true }).selectOption({ label });
  await page.keyboard.press('Escape');
}

/** Times in UTC on every page that tells one, kept over a reload. */
async function times(watched, id) {
  const { page } = watched;
  await page.goto(`${watched.base}/connections/${id}/health`);
  await page.getByText('Uptime', { exact: true }).first().waitFor();
  await choose(watched, 'Times', 'UTC');
  await page
    .getByText(/\d\d:\d\d:\d\d UTC/)
    .first()
    .waitFor();
  await page.reload();
  await page
    .getByText(/\d\d:\d\d:\d\d UTC/)
    .first()
    .waitFor();
  await choose(watched, 'Times', 'Relative');
}

async function german(watched) {
  const { page, base } = watched;
  await page.goto(`${base}/connections`);
  await page.getByRole('link', { name: kLine }).waitFor();
  await page.getByRole('button', { name: 'How things are shown' }).click();
  await page.getByLabel('Language').selectOption({ label: 'Deutsch' });
  await page.getByRole('heading', { name: 'Verbindungen' }).waitFor();
  await page.keyboard.press('Escape');
  await page.reload();
  await page.getByRole('heading', { name: 'Verbindungen' }).waitFor();
  const language = await page.evaluate(() => document.documentElement.lang);
  check(language === 'de', `The page says that it is in “${language}”.`);
  await watched.isAccessible('connections (German)');
  await watched.screenshot('connections-german');
  await page.getByRole('button', { name: 'Darstellung', exact: true }).click();
  await page.getByLabel('Sprache').selectOption({ label: 'English' });
  await page.getByRole('heading', { name: 'Connections' }).waitFor();
  await page.keyboard.press('Escape');
}

async function highContrast(watched, id) {
  const { page, base } = watched;
  await choose(watched, 'Contrast', 'High');
  for (const theme of ['Dark', 'Light']) {
    await choose(watched, 'Theme', theme);
    for (const path of [
      '/connections',
      `/connections/${id}/health`,
      '/pipelines',
      '/pipelines/new',
    ]) {
      await page.goto(base + path);
      await loaded(watched);
      const contrast = await page.evaluate(() => document.documentElement.dataset.contrast);
      check(contrast === 'more', `${path} is shown with the contrast “${contrast}”.`);
      await watched.isAccessible(`${path} (high contrast, ${theme})`);
    }
    await page.goto(`${base}/connections`);
    await page.getByRole('link', { name: kLine }).waitFor();
    await watched.screenshot(`connections-contrast-${theme.toLowerCase()}`);
  }
  await choose(watched, 'Contrast', 'As the system');
}

/** What one looks at from a phone fits it: nothing is cut off, the navigation is there. */
async function phone(watched, id) {
  const { page, base } = watched;
  await page.setViewportSize({ width: 390, height: 844 });
  for (const [name, path] of [
    ['connections', '/connections'],
    ['values', `/connections/${id}/values`],
    ['health', `/connections/${id}/health`],
    ['pipelines', '/pipelines'],
  ]) {
    await page.goto(base + path);
    await loaded(watched);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    check(wide <= 390, `${path} is ${wide} px wide on a phone of 390.`);
    await page.getByRole('link', { name: 'Pipelines', exact: true }).waitFor();
    await watched.isAccessible(`${name} (phone)`);
    await watched.screenshot(`phone-${name}`);
  }
  await page.setViewportSize({ width: 1440, height: 900 });
}

/** The skip link, the list of shortcuts, the search: by keys alone. */
async function keyboard(watched) {
  const { page, base } = watched;
  await page.goto(`${base}/connections`);
  await page.getByRole('link', { name: kLine }).waitFor();
  await page.keyboard.press('Tab');
  await page.getByRole('link', { name: 'Skip to the content' }).waitFor();
  await page.keyboard.press('Enter');
  const focused = () => page.evaluate(() => document.activeElement?.id);
  check((await focused()) === 'content', 'The skip link does not lead to the content.');
  await page.keyboard.press('?');
  const dialog = page.getByRole('dialog');
  await dialog.getByText('This list').waitFor();
  await watched.isAccessible('keyboard shortcuts');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await page.keyboard.press('/');
  await page.keyboard.type('nothing of that name');
  await page.getByText('No connection matches').waitFor();
}

/** The hub is away: what is shown says that it may be old. The hub is back: so is the page, by itself. */
async function goneAndBack(watched, demo, id) {
  const { page } = watched;
  await page.goto(`${watched.base}/connections/${id}/values`);
  await page.locator('output').getByText('Live', { exact: true }).waitFor();
  await page.getByText('Good', { exact: true }).first().waitFor();
  await demo.hub.stop();
  await page.getByText('Stale', { exact: true }).first().waitFor({ timeout: 60_000 });
  await page.getByText('Good', { exact: true }).first().waitFor({ state: 'detached' });
  await watched.isAccessible('values, hub away');
  await watched.screenshot('hub-away');
  await demo.startHub();
  await page.locator('output').getByText('Live', { exact: true }).waitFor({ timeout: 90_000 });
  await page.getByText('Good', { exact: true }).first().waitFor({ timeout: 90_000 });
}

async function journey(demo, watched) {
  await signUp(watched, demo);
  const id = await searchAndCommands(watched);
  await copyAs(watched, demo, id);
  await times(watched, id);
  await german(watched);
  await highContrast(watched, id);
  await phone(watched, id);
  await keyboard(watched);
  await goneAndBack(watched, demo, id);
}

run(journey, {
  done: 'Search, commands, copies, languages, contrasts, a phone, the keyboard and a hub that goes away: all as they should be.',
  // A hub that is away refuses what is asked of it.
  expected:
    /ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|WebSocket|status of 503/,
});
