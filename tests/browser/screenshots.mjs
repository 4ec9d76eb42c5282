// Pictures of every page in both themes, from a real hub with the simulated plant: for README, guides, and for looking at a change.
//
//   cd web; TRIBUTARY_BIN=../build/release/bin/tributary npm run screenshots -- [--screenshots DIR]      (build/screenshots without it)
import { parseArgs } from 'node:util';
import { furnish, pages } from './pages.mjs';
import { check, loaded, run, signUp, until } from './support.mjs';

const kFolder = new URL('../../build/screenshots', import.meta.url).pathname;

const { values: options } = parseArgs({
  options: { screenshots: { type: 'string', default: kFolder } },
});

/** What must be seen besides the page itself, by the name of the picture. */
const further = {
  // A line that has moved for a while says more than its first point.
  'connection-values': async ({ page }) => {
    const chart = page.getByTestId('chart');
    await chart.waitFor();
    await until(async () => Number(await chart.getAttribute('data-samples')) >= 60, 90);
  },
  'connection-browse': async ({ page }) => {
    for (const name of [/^Objects/, /^Filler/]) {
      await page.getByRole('treeitem', { name }).focus();
      await page.keyboard.press('ArrowRight');
    }
    await page.locator('[role="treeitem"][aria-checked]').nth(1).waitFor();
  },
  'pipeline-editor': async ({ page }) => {
    await page.getByRole('group', { name: /^Set fields/ }).click();
    await page.getByRole('region', { name: 'Node Set fields' }).waitFor();
  },
};

async function take(watched, [name, path], theme) {
  const { page, base } = watched;
  await page.goto(base + path);
  await loaded(watched);
  const nothing = await page.getByText('There is nothing here').count();
  check(nothing === 0, `There is no page at ${path}.`);
  await further[name]?.(watched);
  // Charts and canvases are drawn a frame or two after their data.
  await page.waitForTimeout(700);
  await watched.screenshot(`${name}-${theme}`);
}

async function palette(watched, theme) {
  const { page, base } = watched;
  await page.goto(`${base}/connections`);
  await loaded(watched);
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Search and commands' }).waitFor();
  await page.keyboard.type('bottl');
  await page.getByRole('option', { name: 'Bottling line', selected: true }).waitFor();
  await watched.screenshot(`palette-${theme}`);
}

async function journey(demo, watched) {
  const { page } = watched;
  watched.screenshots = options.screenshots;
  await page.goto(demo.setupLink);
  await page.getByLabel('User name').waitFor();
  await watched.screenshot('setup-light');
  await signUp(watched, demo);
  const furniture = await furnish(demo, watched);
  for (const theme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: theme });
    for (const one of pages(furniture)) await take(watched, one, theme);
    await palette(watched, theme);
  }
}

run(journey, {
  done: `The pictures are in ${options.screenshots}.`,
  // Maintenance that is not filled in yet has no next time, and the browser logs that.
  expected: /status of 422/,
});
