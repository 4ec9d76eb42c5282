// The most usual journeys by keyboard alone, in a real browser against a real hub: first steps, a connection by the wizard, points picked
// from the device, typed and imported, a pipeline in the outline, made and deployed again, a suspension with a reason, that time found in
// the health page, a token, a certificate that is trusted. No step uses the mouse, and the focus is never lost on the way.
//
//   TRIBUTARY_BIN=build/release/bin/tributary node tests/browser/keyboard.mjs
import { ask, check, focused, run, tabTo, until } from './support.mjs';

const kReason = 'Seal replaced';

/** Where one was is gone, but the keyboard still has a place. */
async function notLost(watched, after) {
  const somewhere = () =>
    watched.page.evaluate(
      () => document.activeElement !== null && document.activeElement !== document.body,
    );
  check(await until(somewhere, 10), `After ${after} nothing has the focus.`);
}

async function isOn(watched, name) {
  const there = async () => {
    const label = await focused(watched);
    return typeof name === 'string' ? label === name : name.test(label);
  };
  check(await until(there, 20), `The focus is on “${await focused(watched)}”, not on ${name}.`);
}

async function press(watched, name, key = 'Enter') {
  await tabTo(watched, name);
  await watched.page.keyboard.press(key);
}

/** A select takes the option that is typed. */
async function select(watched, name, option) {
  await tabTo(watched, name);
  await watched.page.keyboard.type(option);
  const chosen = () =>
    watched.page.evaluate(() => document.activeElement?.selectedOptions?.[0]?.textContent ?? '');
  check(
    await until(async () => (await chosen()).startsWith(option), 10),
    `${name} is “${await chosen()}”, not “${option}”.`,
  );
}

/** To a page by Ctrl-K. */
async function goTo(watched, words, option) {
  const { page } = watched;
  await page.keyboard.press('Control+k');
  const field = page.getByRole('combobox', { name: 'Search and commands' });
  await field.waitFor();
  await page.keyboard.type(words);
  await page.getByRole('option', { name: option, selected: true }).waitFor();
  await page.keyboard.press('Enter');
  await field.waitFor({ state: 'detached' });
  await notLost(watched, `going to ${words}`);
}

async function firstSteps(watched, demo) {
  const { page } = watched;
  await page.goto(demo.setupLink);
  await page.getByLabel('User name').waitFor();
  await isOn(watched, 'User name');
  await page.keyboard.type('ada');
  await page.keyboard.press('Tab');
  await page.keyboard.type('correct horse battery');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'First steps' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'First steps' }).waitFor();
  await press(watched, 'Skip to the content');
  await press(watched, 'Add connection');
  await page.getByRole('heading', { name: 'Add a connection' }).waitFor();
}

/** Endpoint, security, test, name: one goes on where the next step begins. */
async function wizard(watched, endpointUrl) {
  const { page } = watched;
  await isOn(watched, 'Search');
  await page.keyboard.type('opc.tcp');
  await press(watched, 'OPC UA');
  await page.getByRole('region', { name: 'Guide: OPC UA' }).waitFor();
  await isOn(watched, 'Endpoint URL');
  await page.keyboard.type(endpointUrl);
  await page.keyboard.press('Enter');
  await page.getByLabel('Security mode').waitFor();
  await select(watched, 'Security mode', 'None');
  await press(watched, /^Allow an insecure connection/, 'Space');
  await press(watched, 'Test connection');
  await page.getByText('Everything answers.').waitFor();
  await press(watched, 'Next');
  await isOn(watched, 'Name');
  await page.keyboard.press('Control+a');
  await page.keyboard.type('Filler');
  await page.keyboard.press('Enter');
  await page.getByText('What should it do?').waitFor();
  await notLost(watched, 'saving the connection');
}

/** In the tree of what the device has. */
async function pick(watched) {
  const { page } = watched;
  await press(watched, 'Browse…');
  const panel = page.getByRole('region', { name: 'Pick points from the device' });
  await panel.getByRole('treeitem', { name: /^Objects/ }).waitFor();
  await tabTo(watched, /^Objects/);
  await page.keyboard.press('ArrowRight');
  await panel.getByRole('treeitem', { name: /^Filler/ }).waitFor();
  for (let count = 0; count < 20 && !/^Filler/.test(await focused(watched)); count += 1)
    await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowRight');
  await panel.locator('[role="treeitem"][aria-checked]').nth(1).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Space');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Shift+Space');
  await press(watched, 'Add 2 points');
  await panel.waitFor({ state: 'detached' });
  await isOn(watched, 'Browse…');
}

/** Picked, renamed in the table, taken back, renamed again, saved; its values come. */
async function points(watched) {
  const { page } = watched;
  await press(watched, /^Subscribe to nodes/);
  await isOn(watched, 'Name');
  await page.keyboard.type('Watch');
  await pick(watched);
  const cell = page.getByRole('gridcell', { name: 'typed', exact: true });
  await tabTo(watched, 'Points');
  await page.keyboard.type('typed');
  await page.keyboard.press('Enter');
  await cell.waitFor();
  await page.keyboard.press('Control+z');
  await cell.waitFor({ state: 'detached' });
  await page.keyboard.press('Control+y');
  await cell.waitFor();
  await press(watched, 'Save');
  await page.getByText('“Watch” is saved.').waitFor();
  await page.getByRole('row', { name: /typed/ }).getByText('Good').waitFor();
  await notLost(watched, 'saving the function');
}

/** The list again, with another name, as a file that is pasted. */
async function importPoints(watched, connection) {
  const { page } = watched;
  const { items } = await ask(watched, 'GET', `/connections/${connection}/functions`);
  const { nodeId } = items[0].settings.nodes.find((one) => one.name === 'typed');
  await press(watched, 'Functions');
  await page.getByRole('link', { name: 'Watch', exact: true }).waitFor();
  await press(watched, 'Watch');
  await page.getByRole('gridcell', { name: 'typed', exact: true }).waitFor();
  await press(watched, 'Import and export');
  await page.getByRole('menuitem', { name: /^Import CSV/ }).waitFor();
  await isOn(watched, /^Import CSV/);
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  await tabTo(watched, 'Or paste its content');
  await page.keyboard.type(`name,nodeId\nimported,"${nodeId}"`);
  await press(watched, 'Check');
  await dialog.getByRole('region', { name: 'What would change' }).waitFor();
  await press(watched, 'Import 1 point');
  await page.getByText('The list of “Watch” has 1 points now.').waitFor();
  await dialog.waitFor({ state: 'detached' });
  await notLost(watched, 'importing');
}

/** In the outline: a trigger, a node behind it, its settings; made, changed, deployed. */
async function pipeline(watched) {
  const { page } = watched;
  await goTo(watched, 'pipelines', /^Pipelines/);
  await press(watched, 'New pipeline');
  await page.getByLabel('Name of the pipeline').waitFor();
  await tabTo(watched, 'Name of the pipeline');
  await page.keyboard.type('by keyboard');
  await press(watched, 'Canvas', 'ArrowRight');
  await page.getByTestId('outline').waitFor();
  await select(watched, 'Add a node', 'When data arrives');
  await press(watched, 'Add: Add a node');
  await page.getByRole('region', { name: 'Node When data arrives' }).waitFor();
  await notLost(watched, 'adding a node');
  await select(watched, 'Function', 'Filler/Watch');
  await select(watched, 'From function by out, lead to', 'Set fields');
  await press(watched, 'Connect: From function by out, lead to');
  const panel = page.getByRole('region', { name: 'Node Set fields' });
  await panel.waitFor();
  await notLost(watched, 'connecting a node');
  await press(watched, 'Add field');
  await tabTo(watched, 'Name 1');
  await page.keyboard.type('answer');
  await tabTo(watched, 'Value of answer');
  await page.keyboard.type('{{ 6 * 7 }}');
  await panel.getByText('= 42').waitFor();
  await page.getByText('No problems').waitFor();
  await press(watched, 'Create pipeline');
  await page.getByRole('heading', { name: 'by keyboard' }).waitFor();
  await press(watched, 'Edit');
  await page.getByLabel('Name of the pipeline').waitFor();
  await tabTo(watched, 'Name of the pipeline');
  await page.keyboard.press('End');
  await page.keyboard.type(' alone');
  await page.getByText('No problems').waitFor();
  await press(watched, 'Review and deploy');
  await page.getByRole('dialog').waitFor();
  await press(watched, 'Deploy');
  await page.getByText('Version 2 of “by keyboard alone” is deployed.').waitFor();
  await notLost(watched, 'deploying');
}

async function suspend(watched) {
  const { page } = watched;
  await goTo(watched, 'filler', /^Filler/);
  await page.getByRole('heading', { name: 'Filler' }).waitFor();
  await press(watched, 'Suspend');
  const dialog = page.getByRole('dialog');
  await isOn(watched, 'Reason');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await isOn(watched, 'Suspend');
  await page.keyboard.press('Enter');
  await isOn(watched, 'Reason');
  await page.keyboard.type(kReason);
  await press(watched, 'Suspend');
  await dialog.waitFor({ state: 'detached' });
  await page.getByText(kReason).first().waitFor();
  await notLost(watched, 'suspending');
}

async function findIt(watched) {
  const { page } = watched;
  await goTo(watched, 'health', /^Health/);
  await page.getByRole('heading', { name: 'Connection health' }).waitFor();
  await page.getByRole('group', { name: /^Time axis/ }).waitFor();
  await press(watched, /^Time axis/, '+');
  await page.waitForURL(/from=/);
  await page.keyboard.press('-');
  await press(watched, 'Events of Filler');
  await page.getByRole('cell', { name: kReason }).first().waitFor();
}

async function settings(watched) {
  const { page } = watched;
  await goTo(watched, 'settings', /^Settings/);
  await press(watched, 'Access');
  await page.getByRole('button', { name: 'Create token' }).waitFor();
  await press(watched, 'Create token');
  const dialog = page.getByRole('dialog');
  await isOn(watched, 'Name');
  await page.keyboard.type('grafana');
  await page.keyboard.press('Enter');
  await dialog.getByTestId('token').waitFor();
  await press(watched, 'I have copied it');
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('cell', { name: 'grafana', exact: true }).waitFor();
  await notLost(watched, 'making a token');
  await press(watched, 'Certificates');
  await page.getByRole('button', { name: /^Trust: / }).waitFor();
  await press(watched, /^Trust: /);
  await dialog.getByText('Why it was refused').waitFor();
  await press(watched, 'Trust');
  await page.getByText(/is trusted\.$/).waitFor();
  await dialog.waitFor({ state: 'detached' });
  // The button is gone with what it was for; the next Tab goes on from there.
  await press(watched, /^Remove: /);
  await dialog.waitFor();
  await page.keyboard.press('Escape');
  await isOn(watched, /^Remove: /);
}

async function journey(demo, watched) {
  const plant = demo.spawn(demo.binary, [
    ...['simulate', 'plant', '--host', '127.0.0.1', '--port', '0', '--opcua-port', '0'],
  ]);
  const [endpointUrl] = await plant.said(/opc\.tcp:\/\/127\.0\.0\.1:\d+/, 60);
  await firstSteps(watched, demo);
  await wizard(watched, endpointUrl);
  const connection = new URL(watched.page.url()).pathname.split('/')[2];
  await points(watched);
  await importPoints(watched, connection);
  await pipeline(watched);
  await suspend(watched);
  await findIt(watched);
  // The hub's own listener plays the broker whose certificate nobody knows: TLS is as far as it gets.
  await ask(watched, 'POST', '/connections', {
    name: 'Stranger',
    type: 'mqtt',
    settings: { host: '127.0.0.1', port: demo.port, tls: { enabled: true } },
    autostart: true,
  });
  await settings(watched);
}

run(journey, {
  done: 'From the setup code to a trusted certificate without touching the mouse.',
  empty: true,
  // An expression in the middle of being typed is refused by the hub, and the browser logs that.
  expected: /status of 422/,
});
