// What must hold in every dialog, menu and popover, in a real browser against a real hub: opened and closed by keyboard, the focus is inside
// and stays there, Escape closes, and the focus is not lost; no serious accessibility problem in any of the four looks.
//
//   TRIBUTARY_BIN=build/release/bin/tributary node tests/browser/dialogs.mjs
import { openings } from './openings.mjs';
import { furnish } from './pages.mjs';
import { check, run, show, signUp, until } from './support.mjs';

const kLooks = [
  { colorScheme: 'light', contrast: 'no-preference' },
  { colorScheme: 'dark', contrast: 'no-preference' },
  { colorScheme: 'light', contrast: 'more' },
  { colorScheme: 'dark', contrast: 'more' },
];

/** A dialog of ours, or of the browser. */
const selectorOf = (kind) =>
  kind === 'dialog' ? '[role="dialog"], dialog[open]' : `[role="${kind}"]`;

/** From a dialog of the browser Tab also leads to what the browser has around the page, and then nothing of the page has the focus. */
const inside = (page, kind) =>
  page.evaluate((selector) => {
    const opened = [...document.querySelectorAll(selector)].at(-1);
    const { activeElement } = document;
    if (opened?.contains(activeElement)) return true;
    return opened?.localName === 'dialog' && activeElement === document.body;
  }, selectorOf(kind));

/** Opened by a key; what had the focus before it. */
async function open(watched, name, path, { opener, before, prepare, key, kind = 'dialog' }) {
  const { page } = watched;
  // What was closed left the page as it was.
  if (watched.shown !== path) await show(watched, path);
  watched.shown = path;
  await prepare?.(page);
  if (opener) await opener(page).focus();
  else if (before) await before(page);
  else await page.getByRole('link', { name: 'Health' }).first().focus();
  const from = await page.evaluateHandle(() => document.activeElement);
  await page.keyboard.press(key ?? 'Enter');
  await page.getByRole(kind, { name, exact: true }).last().waitFor();
  if (before) await page.getByRole('menu').waitFor({ state: 'detached' });
  check(await until(() => inside(page, kind), 20), `${name}: the focus is not inside.`);
  return from;
}

async function looks(watched, name, title, kind) {
  const { page } = watched;
  for (const look of kLooks) {
    await page.emulateMedia(look);
    const contrast = look.contrast === 'more' ? 'more' : 'normal';
    await page.waitForFunction(
      ([scheme, strong]) =>
        document.documentElement.dataset.mantineColorScheme === scheme &&
        document.documentElement.dataset.contrast === strong,
      [look.colorScheme, contrast],
    );
    await watched.isAccessible(`${name} (${look.colorScheme}, ${contrast})`, selectorOf(kind));
    const picture = (title ?? 'certificate').replaceAll('.', '-');
    await watched.screenshot(`dialog-${picture}-${look.colorScheme}-${contrast}`);
  }
  await page.emulateMedia(kLooks[0]);
}

/** Opened by a key, looked at in every look, left by Escape; the focus is back where it was. */
async function openAndClose(watched, [title, name, path, how]) {
  const { page } = watched;
  const { kind = 'dialog', opener, key, after, stays } = how;
  const from = await open(watched, name, path, how);
  const opened = page.getByRole(kind, { name, exact: true }).last();
  if (kind === 'dialog')
    for (let count = 0; count < 12; count += 1) {
      await page.keyboard.press('Tab');
      if (!(await inside(page, kind))) watched.problems.push(`${name}: Tab leaves it`);
    }
  await looks(watched, name, title, kind);
  await page.keyboard.press('Escape');
  if (stays) {
    await page.keyboard.press('Escape');
    check(await opened.isVisible(), `${name}: Escape closes it.`);
    await after(page);
  }
  await opened.waitFor({ state: 'detached' });
  if (stays) return;
  const exact = opener !== undefined || key !== undefined;
  const back = () =>
    from.evaluate((there, wanted) => {
      const { activeElement: here } = document;
      if (here === null || here === document.body) return false;
      return !wanted || !there.isConnected || here === there;
    }, exact);
  if (!(await until(back, 5)))
    watched.problems.push(`${name}: after Escape the focus is not where it was`);
  await after?.(page);
}

async function journey(demo, watched) {
  await signUp(watched, demo);
  const furniture = await furnish(demo, watched);
  for (const one of openings(furniture)) await openAndClose(watched, one);
}

run(journey, { done: 'Every dialog: by keyboard, in every look.' });
