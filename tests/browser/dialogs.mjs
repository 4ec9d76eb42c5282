// What must hold in every dialog, menu and popover, in a real browser against a real hub: opened and closed by keyboard, the focus is inside
// and stays there, Escape closes, and the focus is not lost; no serious accessibility problem in any of the four looks.
//
//   TRIBUTARY_BIN=build/release/bin/tributary node tests/browser/dialogs.mjs
import { furnish } from './pages.mjs';
import { ask, check, run, show, signUp, until } from './support.mjs';

const kLooks = [
  { colorScheme: 'light', contrast: 'no-preference' },
  { colorScheme: 'dark', contrast: 'no-preference' },
  { colorScheme: 'light', contrast: 'more' },
  { colorScheme: 'dark', contrast: 'more' },
];

const button = (page, name) => page.getByRole('button', { name }).first();

/** Opens what stands in a menu. */
const inMenu = (opener, item) => async (page) => {
  await opener(page).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: item }).focus();
};

/** A draft that leads to the same server as a connection, but wants it to be the right one: its test is refused. */
async function draftOf(page, id) {
  const { settings } = await ask({ page }, 'GET', `/connections/${id}`);
  await page.getByLabel(/^Endpoint URL/).fill(settings.endpointUrl);
  await button(page, 'Next').click();
  await button(page, 'Test connection').click();
  await button(page, 'Look at the certificate').waitFor();
}

/**
 * Everything that opens: its name, its page, and `opener`, a locator; or `before`, after which the focus is on what opens it.
 * `kind`: its role, where it is not a dialog.
 */
function openings({ line, tree, live, flow, byHand }) {
  const connection = `/connections/${line}/overview`;
  const fn = `/connections/${line}/functions/${live}`;
  const by = (name) => (page) => button(page, name);
  const more = by('More actions for Shift report');
  return [
    ['shortcuts', '/connections', { key: '?' }],
    ['palette', '/connections', { key: 'Control+k' }],
    ['preferences', '/connections', { opener: by('How things are shown') }],
    ['copy as', connection, { opener: by('Copy as…'), kind: 'menu' }],
    ['suspend', connection, { opener: by('Suspend') }],
    ['delete connection', connection, { before: inMenu(by('More'), 'Delete') }],
    [
      'suspend many',
      '/connections',
      {
        opener: by('Suspend'),
        prepare: (page) => page.getByLabel('Choose all that are shown').check(),
      },
    ],
    ['execute', `/connections/${line}/functions`, { opener: by(/^Execute/) }],
    ['delete function', `/connections/${line}/functions`, { opener: by(/^Delete/) }],
    ['range', fn, { opener: by('Range…') }],
    ['import', fn, { before: inMenu(by('Import and export'), /^Import CSV/) }],
    ['period', '/health', { opener: by('Any period…') }],
    ['export', '/health', { opener: by('Export'), kind: 'menu' }],
    ['delete maintenance', '/health/maintenance', { opener: by('Delete Sunday updates') }],
    ['pipeline menu', '/pipelines', { opener: more, kind: 'menu' }],
    ['delete pipeline', '/pipelines', { before: inMenu(more, 'Delete') }],
    [
      'run with records',
      `/pipelines/${byHand}/graph`,
      { before: inMenu(by(/^More/), /^Run with/) },
    ],
    ['pipeline settings', `/pipelines/${flow}/edit`, { opener: by('Settings of the pipeline') }],
    ['deploy', `/pipelines/${byHand}/edit`, { opener: by('Review and deploy') }],
    ['discard draft', `/pipelines/${byHand}/edit`, { opener: by('Throw the draft away') }],
    ['new token', '/settings/access', { opener: by('Create token') }],
    ['revoke token', '/settings/access', { opener: by('Revoke: grafana') }],
    ['certificate', '/settings/certificates', { opener: by(/^Details/) }],
    ['trust', '/settings/certificates', { opener: by(/^Trust: /) }],
    // The last one: whoever leaves what is typed there is asked.
    [
      'trust in a draft',
      '/connections/new/opcua',
      { opener: by('Look at the certificate'), prepare: (page) => draftOf(page, tree) },
    ],
  ];
}

const inside = (page, kind) =>
  page.evaluate((role) => {
    const opened = [...document.querySelectorAll(`[role="${role}"]`)].at(-1);
    return opened?.contains(document.activeElement) ?? false;
  }, kind);

/** Opened by a key, looked at in every look, left by Escape; the focus is never lost. */
async function openAndClose(
  watched,
  [name, path, { opener, before, prepare, key, kind = 'dialog' }],
) {
  const { page } = watched;
  // What was closed left the page as it was.
  if (watched.shown !== path) await show(watched, path);
  watched.shown = path;
  await prepare?.(page);
  if (opener) await opener(page).focus();
  else if (before) await before(page);
  else await page.getByRole('link', { name: 'Health' }).first().focus();
  const menu = before ? await page.evaluate(() => document.activeElement?.textContent) : null;
  await page.keyboard.press(key ?? 'Enter');
  const opened = page.getByRole(kind).last();
  await opened.waitFor();
  if (menu) await page.getByRole('menu').waitFor({ state: 'detached' });
  check(await until(() => inside(page, kind), 20), `${name}: the focus is not inside.`);
  if (kind === 'dialog')
    for (let count = 0; count < 12; count += 1) {
      await page.keyboard.press('Tab');
      if (!(await inside(page, kind))) watched.problems.push(`${name}: Tab leaves it`);
    }
  for (const look of kLooks) {
    await page.emulateMedia(look);
    const contrast = look.contrast === 'more' ? 'more' : 'normal';
    await page.waitForFunction(
      ([scheme, strong]) =>
        document.documentElement.dataset.mantineColorScheme === scheme &&
        document.documentElement.dataset.contrast === strong,
      [look.colorScheme, contrast],
    );
    // Colours that change do so over a moment.
    await page.waitForTimeout(150);
    await watched.isAccessible(`${name} (${look.colorScheme}, ${contrast})`, `[role="${kind}"]`);
    await watched.screenshot(`dialog-${name.replaceAll(' ', '-')}-${look.colorScheme}-${contrast}`);
  }
  await page.emulateMedia(kLooks[0]);
  await page.keyboard.press('Escape');
  await opened.waitFor({ state: 'detached' });
  const back = () =>
    page.evaluate(
      () => document.activeElement !== null && document.activeElement !== document.body,
    );
  if (!(await until(back, 5))) watched.problems.push(`${name}: after Escape nothing has the focus`);
}

async function journey(demo, watched) {
  await signUp(watched, demo);
  const furniture = await furnish(demo, watched);
  for (const one of openings(furniture)) await openAndClose(watched, one);
}

run(journey, { done: 'Every dialog: by keyboard, in every look.' });
