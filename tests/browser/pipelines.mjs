// Pipelines by clicking, in a real browser, against a real hub: one is built on the canvas, one in the outline by keyboard alone; an
// error is shown at its field; it is tried out, made, watched; a destination that is away leaves dead letters, which are released;
// a draft is deployed and rolled back. Everything in both themes without serious accessibility problems.
//
//   TRIBUTARY_BIN=build/release/bin/tributary node tests/browser/pipelines.mjs [--screenshots DIR]
import { ask, check, run, signUp, tabTo, until } from './support.mjs';

async function toPipelines({ page }) {
  await page.getByRole('link', { name: 'Pipelines' }).click();
  await page.getByText('Beacon follows alarms').waitFor();
}

const node = (page, id) => page.locator(`.react-flow__node[data-id="${id}"]`);
const edges = (page) => page.locator('.react-flow__edge');
const settled = (page) => page.locator('output[data-settled="true"]').waitFor();

/** Trigger, set and function by the palette; an edge is cut and drawn again; all of it can be undone. */
async function buildOnCanvas(watched) {
  const { page } = watched;
  await page.getByRole('link', { name: 'New pipeline' }).click();
  await page.getByLabel('Name of the pipeline').fill('speed by hand');
  await page.getByRole('button', { name: 'Add By hand' }).click();
  await page.getByRole('button', { name: 'Add Set fields' }).click();
  await page.getByRole('button', { name: 'Add Function' }).click();
  await edges(page).nth(1).waitFor({ state: 'attached' });
  check((await edges(page).count()) === 2, 'The palette did not lay three nodes in a line.');

  await page.getByRole('button', { name: 'Undo', exact: true }).click();
  await until(async () => (await edges(page).count()) === 1, 5);
  await page.getByRole('button', { name: 'Redo', exact: true }).click();
  await edges(page).nth(1).waitFor({ state: 'attached' });

  // The view moves when a node comes in; wait until it stands still before the mouse is used.
  await page.waitForTimeout(500);
  await page.locator('.react-flow__edge[data-id="set:out>function"]').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Delete');
  check(
    await until(async () => (await edges(page).count()) === 1, 5),
    'Delete did not cut the edge that was chosen.',
  );
  await node(page, 'set')
    .locator('.react-flow__handle.source')
    .dragTo(node(page, 'function').locator('.react-flow__handle.target'));
  check(
    await until(async () => (await edges(page).count()) === 2, 5),
    'Drawing from port to port made no edge.',
  );
  await watched.isAccessible('editor, canvas');
}

/** Sample data at the trigger; an expression with completion, its error at the field, its result under it. */
async function writeExpression(watched) {
  const { page } = watched;
  await node(page, 'manual').click();
  await page.getByRole('button', { name: 'Write sample data' }).click();
  await page.getByLabel('Pinned sample data (JSON)').fill('[{"speed": 700}]');

  await node(page, 'set').click();
  const panel = page.getByRole('region', { name: 'Node Set fields' });
  await panel.getByRole('button', { name: 'Add field' }).click();
  await panel.getByLabel('Name 1').fill('speed');
  const value = panel.getByRole('textbox', { name: 'Value of speed' });
  await value.click();
  await page.keyboard.type('{{ $input.');
  const choice = page.getByRole('option', { name: /speed/ });
  await choice.waitFor();
  // While one is in the middle of an expression it is an error, told at the field and at the node.
  await panel.getByRole('alert').filter({ hasText: 'line 1' }).first().waitFor();
  await node(page, 'set').getByText('1 problem').waitFor();
  await watched.isAccessible('editor, error at the field');
  await watched.screenshot('pipeline-error');
  await value.click();
  await page.keyboard.press('End');
  await page.keyboard.press('Control+Space');
  await choice.waitFor();
  // CodeMirror takes no key for a completion in its first moments, so that nothing is taken by accident.
  await page.waitForTimeout(150);
  await page.keyboard.press('Enter');
  await page.keyboard.type(' * 2 || 1200 }}');
  await panel.getByText('= 1\u202f400').waitFor();
}

async function chooseDestination(watched) {
  const { page } = watched;
  await node(page, 'function').click();
  const panel = page.getByRole('region', { name: 'Node Function' });
  await panel
    .getByLabel('Function', { exact: false })
    .first()
    .selectOption({ label: 'Bottling line/Set speed' });
  await panel.getByRole('button', { name: 'Add field' }).click();
  await panel.getByLabel('Name 1').fill('speed');
  await panel.getByRole('textbox', { name: 'Value of speed' }).click();
  await page.keyboard.type('{{ $input.speed }}');
  await panel.getByText('Errors, time-out, delivery, notes').click();
  await panel.getByLabel('Promise').selectOption({ label: 'Durable' });
  await panel.getByLabel('Dead letter after').fill('1s');
  await settled(page);
  await page.getByText('No problems').waitFor();
}

/** Step by step, then all of it: nothing is sent, and what would have been sent is shown. */
async function tryOut(watched) {
  const { page } = watched;
  await page.getByRole('button', { name: 'Step', exact: true }).click();
  await page.getByText('Tested up to By hand').waitFor();
  await page.getByRole('button', { name: 'Step', exact: true }).click();
  await page.getByText('Tested up to Set fields').waitFor();
  await page.getByRole('button', { name: 'Test', exact: true }).click();
  await page.getByText(/Tested in/).waitFor();
  const output = page.getByRole('region', { name: 'Output' });
  await output.getByRole('region', { name: 'Would have sent' }).waitFor();
  const sent = await output.getByRole('region', { name: 'Would have sent' }).first().textContent();
  check(/"speed": 1400/.test(sent), `The test would have sent ${sent}.`);
  await watched.isAccessible('editor, tested');
  await watched.screenshot('pipeline-editor');
}

async function watchItRun(watched) {
  const { page } = watched;
  await page.getByRole('button', { name: 'Create pipeline' }).click();
  await page.getByRole('heading', { name: 'speed by hand' }).waitFor();
  await page.getByRole('button', { name: 'Run now' }).click();
  await page.getByText('“speed by hand” ran: completed.').waitFor();
  // The counters come by themselves.
  await node(page, 'function').getByText('1 in, 1 out').waitFor();
  await node(page, 'function').click();
  await page.getByRole('region', { name: 'What Function did' }).getByText('Delivered').waitFor();
  await watched.screenshot('pipeline-graph');
  await watched.isAccessible('pipeline, graph');
  await page.getByRole('link', { name: 'Runs' }).click();
  await page.locator('tbody tr').first().getByRole('link').click();
  await page.getByRole('heading', { name: /^Run of/ }).waitFor();
  await node(page, 'set').getByText('1 in, 1 out').waitFor();
  await watched.isAccessible('run');
  await watched.screenshot('pipeline-run');
  await page.getByRole('button', { name: 'Run again' }).click();
  await page.getByText('It ran again: completed.').waitFor();
}

/** The destination is away for longer than records may wait; what was given up is looked at and released. */
async function deadLetters(watched) {
  const { page } = watched;
  const { items } = await ask(watched, 'GET', '/connections');
  const { id } = items.find((one) => one.name === 'Bottling line');
  await ask(watched, 'POST', `/connections/${id}/stop`);
  await page.getByRole('button', { name: 'Run now' }).click();
  const tab = page.getByRole('link', { name: /^Dead letters/ });
  await tab.click();
  const show = page.getByRole('button', { name: 'Show the payload of letter 1' });
  const came = await until(async () => {
    if (await show.isVisible()) return true;
    await page.getByRole('button', { name: 'Look again' }).click();
    return false;
  }, 60);
  check(came, 'What waited too long did not become a dead letter.');
  await show.click();
  const payload = await page.getByRole('region', { name: 'Payload' }).textContent();
  check(/1200/.test(payload), `The payload of the dead letter is ${payload}.`);
  await watched.isAccessible('dead letters');
  await watched.screenshot('pipeline-dead-letters');
  await ask(watched, 'POST', `/connections/${id}/start`);
  const connected = async () =>
    (await ask(watched, 'GET', `/connections/${id}`)).state.status === 'Connected';
  check(await until(connected, 30), 'The connection did not come back.');
  await page.getByRole('button', { name: 'Release all' }).click();
  await page.getByText('1 dead letter is back in its queue.').waitFor();
  // Its time begins again with the release: it reaches its destination although it is older than that.
  const pipeline = page.url().split('/pipelines/')[1].split('/')[0];
  const delivered = async () => {
    const { state } = await ask(watched, 'GET', `/pipelines/${pipeline}`);
    const queues = state.nodes.flatMap((one) => (one.delivery ? [one.delivery] : []));
    return queues.length > 0 && queues.every((one) => one.waiting === 0 && one.deadLetters === 0);
  };
  check(await until(delivered, 30), 'What was released was not delivered.');
}

/** A draft beside what runs: saved, compared, deployed, rolled back. */
async function draftAndRollBack(watched) {
  const { page } = watched;
  await page.getByRole('link', { name: 'Edit', exact: true }).click();
  await node(page, 'set').click();
  await page.getByRole('button', { name: 'Add Filter' }).click();
  await page
    .getByRole('region', { name: 'Node Filter' })
    .getByRole('textbox', { name: 'Condition' })
    .click();
  await page.keyboard.type('{{ $input.speed > 0 }}');
  await settled(page);
  await page.getByText('No problems').waitFor();
  await page.getByRole('button', { name: 'Save draft' }).click();
  await page.getByText('The draft is saved.').waitFor();
  await page.getByRole('button', { name: 'Review and deploy' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('filter (filter)').waitFor();
  await watched.isAccessible('deploy dialog');
  await watched.screenshot('pipeline-deploy');
  await dialog.getByRole('button', { name: 'Deploy' }).click();
  await page.getByText('Version 2 of “speed by hand” is deployed.').waitFor();
  await node(page, 'filter').waitFor();
  await page.getByRole('link', { name: 'Versions' }).click();
  await page.getByRole('button', { name: 'Compare version 2 with the one before' }).click();
  await page.getByText('filter (filter)').waitFor();
  await watched.isAccessible('versions');
  await page.getByRole('button', { name: 'Roll back to 1' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Roll back to 1' }).click();
  await page.getByText('Version 3 is deployed.').waitFor();
  await page.getByRole('link', { name: 'Graph' }).click();
  await node(page, 'set').waitFor();
  check(
    (await node(page, 'filter').count()) === 0,
    'The rolled back version has the filter still.',
  );
}

/** No mouse from here on: the whole way from an empty graph to a pipeline that runs, in the outline. */
async function buildInOutline(watched) {
  const { page } = watched;
  const { keyboard } = page;
  await page.goto(`${watched.base}/pipelines/new`);
  await page.getByLabel('Name of the pipeline').waitFor();
  await tabTo(watched, 'Name of the pipeline');
  await keyboard.type('by keyboard');
  // The choice of the view is a group of radio buttons: arrows move within it.
  await tabTo(watched, 'Canvas');
  await keyboard.press('ArrowRight');
  await page.getByTestId('outline').waitFor();
  const add = async (select, type, button) => {
    await tabTo(watched, select);
    await keyboard.type(type);
    await tabTo(watched, `${button}: ${select}`);
    await keyboard.press('Enter');
  };
  await add('Add a node', 'By hand', 'Add');
  await page
    .getByRole('button', { name: /By hand/ })
    .first()
    .waitFor();
  await page.evaluate(() => document.activeElement?.blur());
  await add('From manual by out, lead to', 'Set fields', 'Connect');
  const panel = page.getByRole('region', { name: 'Node Set fields' });
  await panel.waitFor();
  await tabTo(watched, 'Add field');
  await keyboard.press('Enter');
  await tabTo(watched, 'Close the node');
  await tabTo(watched, 'Name 1');
  await keyboard.type('answer');
  await tabTo(watched, 'Value of answer');
  await keyboard.type('{{ 6 * 7 }}');
  await panel.getByText('= 42').waitFor();
  await watched.isAccessible('editor, outline');
  await watched.screenshot('pipeline-outline');
  await settled(page);
  await tabTo(watched, 'Create pipeline');
  await keyboard.press('Enter');
  await page.getByRole('heading', { name: 'by keyboard' }).waitFor();
  await tabTo(watched, 'Run now');
  await keyboard.press('Enter');
  await page.getByText('“by keyboard” ran: completed.').waitFor();
}

async function darkPages(watched) {
  const { page, base } = watched;
  await page.getByRole('button', { name: 'Use the dark theme' }).click();
  const { items } = await ask(watched, 'GET', '/pipelines?name=speed');
  const at = `/pipelines/${items[0].id}`;
  await page.evaluate(() => localStorage.setItem('tributary-graph-view', '"canvas"'));
  for (const [name, path, sign] of [
    ['pipelines', '/pipelines', () => page.getByText('Beacon follows alarms')],
    ['pipeline-graph', `${at}/graph`, () => node(page, 'set')],
    ['pipeline-runs', `${at}/runs`, () => page.getByRole('button', { name: 'Run again' }).first()],
    ['pipeline-dead-letters', `${at}/deadletters`, () => page.getByText('Look again')],
    ['pipeline-versions', `${at}/versions`, () => page.getByText('Version 3')],
    ['pipeline-used-by', `${at}/usedby`, () => page.getByText('Bottling line/Set speed')],
    ['pipeline-editor', `${at}/edit`, () => node(page, 'set')],
  ]) {
    await page.goto(base + path);
    await sign().waitFor();
    if (name === 'pipeline-editor') {
      await node(page, 'set').click();
      await page.getByRole('textbox', { name: 'Value of speed' }).waitFor();
    }
    await watched.isAccessible(`${name} (dark)`);
    await watched.screenshot(`${name}-dark`);
  }
}

/** With what depends on it told, and everything of it gone. */
async function deleteIt(watched) {
  const { page } = watched;
  await page.goto(`${watched.base}/pipelines`);
  await page.getByLabel('Search by name, label or node').fill('keyboard');
  await page.getByRole('button', { name: 'More actions for by keyboard' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  const dialog = page.getByRole('dialog');
  // The menu is on its way out, without its items.
  await page.getByRole('menu').waitFor({ state: 'detached' });
  await watched.isAccessible('delete dialog');
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await page.getByText('“by keyboard” is deleted.').waitFor();
}

async function journey(demo, watched) {
  await signUp(watched, demo);
  await toPipelines(watched);
  await buildOnCanvas(watched);
  await writeExpression(watched);
  await chooseDestination(watched);
  await tryOut(watched);
  await watchItRun(watched);
  await deadLetters(watched);
  await draftAndRollBack(watched);
  await buildInOutline(watched);
  await darkPages(watched);
  await deleteIt(watched);
}

run(journey, {
  done: 'Pipelines were built, tried out, run, repaired and rolled back by clicking.',
  // An expression in the middle of being typed is refused by the hub, and the browser logs that.
  expected: /status of 422/,
  fullPage: true,
});
