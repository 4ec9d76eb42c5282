// Functions by clicking, in a real browser, against a real hub: a subscription is made whose points come from a sample, the keyboard,
// a spreadsheet and a range; it is saved and its values are seen live; a file is imported after a dry run that shows an error by
// line and column; functions are run with parameters, their answers shown as table, chart and JSON; ten thousand points are
// edited. Nothing is lost by a link. Everything in both themes without serious accessibility problems.
//
//   TRIBUTARY_BIN=build/release/bin/tributary node tests/browser/functions.mjs [--screenshots DIR]
import { check, run, until } from './support.mjs';

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

const grid = (page) => page.getByRole('grid', { name: 'Points' });
const rowCount = async (page) => Number(await grid(page).getAttribute('aria-rowcount')) - 1;

/** What Ctrl-V does, with a text from elsewhere. */
const pasteText = (locator, text) =>
  locator.evaluate((element, content) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', content);
    element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
  }, text);

async function signUp({ page }, demo) {
  await page.goto(demo.setupLink);
  await page.getByLabel('User name').fill('ada');
  await page.getByRole('textbox', { name: 'Password' }).fill('correct horse battery');
  await page.getByRole('button', { name: 'Create administrator' }).click();
  await page.getByText('Bottling line').first().waitFor();
}

/** From nothing to five points: the sample, keys, a spreadsheet's cells, a range, and back again. */
async function makeSubscription(watched, connection) {
  const { page } = watched;
  await page.goto(`${watched.base}/connections/${connection}/functions/new`);
  await page.getByRole('button', { name: /Watch registers/ }).click();
  await page.getByRole('button', { name: 'Add the sample' }).waitFor();
  await watched.isAccessible('function, no points');
  await page.getByLabel('Name', { exact: false }).first().fill('Line watch');
  await page.getByRole('button', { name: 'Add the sample' }).click();
  const type = page.getByRole('gridcell', { name: 'bool (coil or input)' });
  await type.dblclick();
  await grid(page).getByRole('combobox', { name: 'Data type' }).selectOption('uint16');
  await page.keyboard.press('Enter');
  await page.getByRole('gridcell', { name: 'uint16' }).waitFor();

  await pasteText(
    grid(page),
    'Name\tAddress\tData type\ntemperature\t10\tfloat32\ntankLevel\t12\tfloat32',
  );
  await page.getByText('2 rows came from the clipboard.').waitFor();
  check((await rowCount(page)) === 3, `Pasting two rows made ${await rowCount(page)}.`);

  await page.getByRole('button', { name: 'Range…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Name' }).fill('recipe{1..40}');
  await dialog.getByRole('textbox', { name: 'Address', exact: false }).first().fill('0');
  await dialog.getByLabel('Data type').selectOption({ label: 'uint16' });
  await dialog.getByRole('cell', { name: 'recipe40' }).waitFor();
  await watched.isAccessible('range dialog');
  await watched.screenshot('points-range');
  await dialog.getByRole('button', { name: 'Add 40 points' }).click();
  await until(async () => (await rowCount(page)) === 43, 20);
  check((await rowCount(page)) === 43, `The range made ${(await rowCount(page)) - 3} points.`);
  await page.getByRole('button', { name: 'Undo' }).click();
  check((await rowCount(page)) === 3, 'One step did not take the range back.');
  await watched.screenshot('function-editor');
}

/** A link asks first; what was typed is still there when one stays. */
async function stay(watched) {
  const { page } = watched;
  await page.getByRole('link', { name: 'Pipelines' }).click();
  const question = page.getByRole('dialog', { name: 'Leave without saving?' });
  await question.waitFor();
  // What the pointer left behind fades, and its colours with it.
  const tooltips = page.locator('[role="tooltip"]:visible');
  check(await until(async () => (await tooltips.count()) === 0, 20), 'A tooltip stays.');
  await watched.isAccessible('leave question');
  await question.getByRole('button', { name: 'Cancel' }).click();
  await question.waitFor({ state: 'detached' });
  check((await rowCount(page)) === 3, 'Staying lost the points.');
}

/** An address that cannot be is shown at its cell; after it is mended the function is saved and its values come. */
async function mendAndSave(watched) {
  const { page } = watched;
  const cell = page.getByRole('gridcell', { name: '12', exact: true });
  await cell.dblclick();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('-5');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Next problem (1 row)' }).click();
  await page.getByRole('gridcell', { name: 'The least is 0.' }).waitFor();
  await watched.isAccessible('point table with a problem');
  await page.keyboard.type('12');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: /Next problem/ }).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('“Line watch” is saved.').waitFor();
  const row = page.getByRole('row', { name: /temperature/ });
  await row.getByText('Good').waitFor();
  await watched.isAccessible('values');
  await watched.screenshot('values');
}

/** The file's mistake by line and column, then what would change, then all of it. */
async function importList(watched, connection) {
  const { page } = watched;
  const { items } = await ask(watched, 'GET', `/connections/${connection}/functions`);
  const fn = items.find((one) => one.name === 'Line watch');
  await page.goto(`${watched.base}/connections/${connection}/functions/${fn.id}`);
  await page.getByRole('region', { name: 'Live values' }).getByText('tankLevel').first().waitFor();
  await page.getByRole('button', { name: 'Import and export' }).click();
  const download = page.waitForEvent('download');
  await page.getByRole('menuitem', { name: 'Export as JSON' }).click();
  const file = (await download).suggestedFilename();
  check(file === 'Line watch.json', `The export is named ${file}.`);
  await page.getByRole('button', { name: 'Import and export' }).click();
  await page.getByRole('menuitem', { name: 'Import CSV or JSON…' }).click();
  const dialog = page.getByRole('dialog');
  const text = dialog.getByLabel('Or paste its content');
  await text.fill('name,address,dataType\nspeed,zero,uint16\n');
  await dialog.getByRole('button', { name: 'Check', exact: true }).click();
  await dialog.getByText('Line 2, column 2 (address)').waitFor();
  await watched.isAccessible('import with an error');
  await text.fill(
    'name,address,dataType\ntemperature,10,float32\nspeed,0,uint16\ntankLevel,12,float64\npressure,14,float32\n',
  );
  await dialog.getByRole('button', { name: 'Check', exact: true }).click();
  for (const outcome of ['1 new', '1 changed', '2 unchanged'])
    await dialog.getByText(outcome, { exact: true }).waitFor();
  await watched.isAccessible('import, checked');
  await watched.screenshot('points-import');
  const before = await ask(watched, 'GET', `/functions/${fn.id}`);
  check(before.version === fn.version, 'The dry run changed the function.');
  await dialog.getByRole('button', { name: 'Import 4 points' }).click();
  await page.getByText('The list of “Line watch” has 4 points now.').waitFor();
  await page.getByRole('gridcell', { name: 'pressure', exact: true }).waitFor();
  const after = await ask(watched, 'GET', `/functions/${fn.id}`);
  check(after.settings.points.length === 4, 'The hub does not have the list that was imported.');
  return fn.id;
}

/** Parameters asked for, the answer in three forms. */
async function execute(watched, connection) {
  const { page } = watched;
  await page.goto(`${watched.base}/connections/${connection}/functions`);
  await page
    .getByRole('row', { name: /Set speed/ })
    .getByRole('button', { name: 'Execute' })
    .click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Run' }).click();
  await dialog.getByText('Fill this in.').waitFor();
  await dialog.getByRole('textbox', { name: 'speed' }).fill('900');
  await dialog.getByRole('button', { name: 'Run' }).click();
  await dialog.getByText(/Answered in/).waitFor();
  await watched.isAccessible('execute');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });

  await page
    .getByRole('row', { name: /Read process values/ })
    .getByRole('button', { name: 'Execute' })
    .click();
  await dialog.getByRole('button', { name: 'Run', exact: true }).click();
  await dialog.getByRole('row', { name: /speed/ }).getByText('Good').waitFor();
  await dialog.getByRole('button', { name: 'Run again' }).click();
  await dialog.getByText('Chart', { exact: true }).click();
  await dialog.getByTestId('result-chart').locator('canvas').waitFor();
  await watched.isAccessible('execute, chart');
  await watched.screenshot('execute');
  await dialog.getByText('JSON', { exact: true }).click();
  await dialog.getByText('"success": true').waitFor();
  await page.keyboard.press('Escape');
}

/** Frames per second while the grid is scrolled through. */
const scrollRate = (page) =>
  grid(page).evaluate(
    (element) =>
      new Promise((resolve) => {
        const began = performance.now();
        let frames = 0;
        const step = () => {
          element.scrollTop += 90;
          frames += 1;
          if (performance.now() - began < 2000) requestAnimationFrame(step);
          else resolve((frames * 1000) / (performance.now() - began));
        };
        requestAnimationFrame(step);
      }),
  );

/** Ten thousand points pasted, scrolled through and edited. */
async function manyPoints(watched, connection, id) {
  const { page } = watched;
  await page.goto(`${watched.base}/connections/${connection}/functions/${id}`);
  await grid(page).focus();
  const lines = Array.from({ length: 9_996 }, (_, at) => `many${at}\t${at}\tuint16`);
  await pasteText(grid(page), `name\taddress\tdataType\n${lines.join('\n')}`);
  await page.getByText(/^10000 rows/).waitFor();
  const drawn = await page.getByRole('gridcell').count();
  check(drawn < 1000, `${drawn} cells are drawn of ten thousand rows.`);
  const rate = await scrollRate(page);
  await grid(page).focus();
  await page.keyboard.press('Control+End');
  await page.getByRole('rowheader', { name: '10000' }).waitFor();
  await page.keyboard.press('Home');
  const began = performance.now();
  await page.keyboard.type('last');
  await page.keyboard.press('Enter');
  await page.getByRole('gridcell', { name: 'last', exact: true }).waitFor();
  const edit = performance.now() - began;
  process.stdout.write(
    `10 000 points: ${rate.toFixed(0)} frames/s while scrolling, ${edit.toFixed(0)} ms to change a cell.\n`,
  );
  // Generous: the machine of a test run may be busy with other things.
  check(rate > 8, `Ten thousand points scroll at ${rate.toFixed(1)} frames/s.`);
  check(edit < 10_000, `Changing a cell of ten thousand rows took ${edit.toFixed(0)} ms.`);
  await watched.isAccessible('ten thousand points');
  await page.getByRole('link', { name: 'Pipelines' }).click();
  await page.getByRole('button', { name: 'Leave without saving' }).click();
  await page.getByRole('heading', { name: 'Pipelines' }).waitFor();
}

/** Takes hold of a node and waits until the place below so many rows of the table says what would happen there. */
async function dragTo(page, node, place, rows, says) {
  await node.hover();
  const frame = await place.boundingBox();
  const [x, y] = [frame.x + 200, frame.y + 30 * (rows + 1)];
  await page.mouse.down();
  // The first moves begin the drag and enter the table; a person's hand makes many.
  await page.mouse.move(x, y - 6, { steps: 3 });
  await page.mouse.move(x, y, { steps: 3 });
  await page.getByText(says, { exact: true }).waitFor();
}

/** A node goes between the two rows, two that are chosen go to the end together. */
async function dragFromTree(watched, panel, nodes) {
  const { page } = watched;
  const names = page.locator('[role="gridcell"][aria-colindex="2"]');
  const [first, second] = await names.allInnerTexts();
  await page.getByRole('button', { name: 'Browse…' }).click();
  await panel.getByRole('treeitem', { name: /^Objects/ }).click();
  await panel.getByRole('treeitem', { name: /^Filler/ }).click();
  await nodes.nth(4).waitFor();
  await dragTo(page, nodes.nth(2), grid(page), 1, 'Add 1 point here');
  await watched.screenshot('points-browse');
  await page.mouse.up();
  await names.nth(2).waitFor();
  const three = await names.allInnerTexts();
  check(
    three[0] === first && three[2] === second,
    `Dropped between ${first} and ${second}, there is ${three.join(', ')}.`,
  );
  await nodes.nth(3).click();
  await nodes.nth(4).click();
  await dragTo(page, nodes.nth(4), grid(page), 3, 'Add 2 points here');
  await page.mouse.up();
  await names.nth(4).waitFor();
  const five = await names.allInnerTexts();
  check(
    five[2] === second && five.length === 5,
    `Dropped at the end, there is ${five.join(', ')}.`,
  );
  check(
    await until(async () => (await panel.locator('[aria-checked="true"]').count()) === 0, 10),
    'What was dropped is still chosen.',
  );
  await panel.getByRole('button', { name: 'Close' }).click();
  await panel.waitFor({ state: 'detached' });
}

/** Another device, which can say what it has: two of its nodes become points, two more are dragged to where they shall stand. */
async function pickFromDevice(demo, watched) {
  const { page, base } = watched;
  const plant = demo.spawn(process.env.TRIBUTARY_BIN, [
    ...['simulate', 'plant', '--host', '127.0.0.1', '--port', '0', '--opcua-port', '0'],
  ]);
  const [endpointUrl] = await plant.said(/opc\.tcp:\/\/127\.0\.0\.1:\d+/, 60);
  const { id } = await ask(watched, 'POST', '/connections', {
    name: 'Filler by OPC UA',
    type: 'opcua',
    autostart: true,
    settings: { endpointUrl, securityMode: 'None', allowInsecure: true },
  });
  const status = async () => (await ask(watched, 'GET', `/connections/${id}`)).state.status;
  check(
    await until(async () => (await status()) === 'Connected', 60),
    `The OPC UA connection is ${await status()}.`,
  );
  await page.goto(`${base}/connections/${id}/functions/new?type=opcua.subscribe`);
  await page.getByLabel('Name', { exact: false }).first().fill('Picked');
  await page.getByRole('button', { name: 'Browse…' }).click();
  const panel = page.getByRole('region', { name: 'Pick points from the device' });
  await panel.getByRole('treeitem', { name: /^Objects/ }).click();
  await panel.getByRole('treeitem', { name: /^Filler/ }).click();
  const nodes = panel.locator('[role="treeitem"][aria-checked]');
  await nodes.nth(3).waitFor();
  const empty = page.getByRole('region', { name: 'No points yet' });
  await dragTo(page, nodes.nth(2), empty, 1, 'Add 1 point here');
  await page.mouse.up();
  await empty.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Undo' }).click();
  await empty.waitFor();
  await nodes.nth(0).click();
  await nodes.nth(1).click();
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor();
    // Colours that change do so over a moment.
    await page.waitForTimeout(200);
    await watched.isAccessible(`browse panel, ${colorScheme}`);
  }
  await panel.getByRole('button', { name: 'Add 2 points' }).click();
  check((await rowCount(page)) === 2, 'The nodes did not become points.');
  await dragFromTree(watched, panel, nodes);
  await page
    .getByRole('gridcell', { name: /Filler\./ })
    .first()
    .waitFor();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('“Picked” is saved.').waitFor();
  await page.getByRole('row').nth(1).getByText('Good').waitFor();
  return id;
}

/** Events stay to be read one by one; an answer to one that is not there is refused in words. */
async function events(watched, id) {
  const { page, base } = watched;
  const functions = `${base}/connections/${id}/functions`;
  await page.goto(`${functions}/new?type=opcua.events`);
  await page.getByLabel('Name', { exact: false }).first().fill('Alarms');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('“Alarms” is saved.').waitFor();
  const records = page.getByRole('region', { name: 'Newest records' });
  await records.getByRole('cell', { name: 'refreshEnd' }).first().waitFor();
  await watched.isAccessible('events');
  await watched.screenshot('events');
  const parameters = { conditionId: '((conditionId))', eventId: '((eventId))' };
  await ask(watched, 'POST', `/connections/${id}/functions`, {
    name: 'Acknowledge',
    type: 'opcua.acknowledge',
    settings: { ...parameters, comment: '((comment))' },
  });
  await page.goto(functions);
  await page
    .getByRole('row', { name: /^Acknowledge/ })
    .getByRole('button', { name: 'Execute' })
    .click();
  const dialog = page.getByRole('dialog');
  await dialog
    .getByLabel('conditionId')
    .fill('nsu=http://tributary.example/plant;s=Filler.Nothing');
  await dialog.getByLabel('eventId').fill('AAAA');
  await dialog.getByRole('button', { name: 'Run', exact: true }).click();
  await dialog.getByText('bad_node_id_unknown').waitFor();
  await watched.isAccessible('acknowledge, refused');
}

async function darkPages(watched, connection, id) {
  const { page, base } = watched;
  await page.emulateMedia({ colorScheme: 'dark' });
  for (const [name, path, sign] of [
    ['functions', '', () => page.getByRole('link', { name: 'Line watch' })],
    ['function-editor', `/${id}`, () => page.getByRole('gridcell', { name: 'pressure' })],
  ]) {
    await page.goto(`${base}/connections/${connection}/functions${path}`);
    await sign().first().waitFor();
    await watched.isAccessible(`${name} (dark)`);
    await watched.screenshot(`${name}-dark`);
  }
}

async function journey(demo, watched) {
  await signUp(watched, demo);
  const { items } = await ask(watched, 'GET', '/connections');
  const { id } = items.find((one) => one.name === 'Bottling line');
  await makeSubscription(watched, id);
  await stay(watched);
  await mendAndSave(watched);
  const fn = await importList(watched, id);
  await execute(watched, id);
  await manyPoints(watched, id, fn);
  await events(watched, await pickFromDevice(demo, watched));
  await darkPages(watched, id, fn);
}

run(journey, {
  done: 'Functions were made, filled with points, imported, run and watched by clicking.',
  // A file with a mistake is refused by the hub, and the browser logs that.
  expected: /status of 422/,
  fullPage: true,
});
