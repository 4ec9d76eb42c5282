// Every dialog, menu and popover there is, for dialogs.mjs; src/openings.test.ts finds them in the sources and asks for each.

const button = (page, name) => page.getByRole('button', { name, exact: true }).first();
const by = (name) => (page) => button(page, name);

/** Opens what stands in a menu. */
const inMenu = (opener, item) => async (page) => {
  await opener(page).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: item }).focus();
};

const chooseAll = (page) => page.getByLabel('Choose all that are shown').check();

/** Something typed that is not saved, and the focus on a link that leads away from it. */
const typedAndLeaving = async (page) => {
  await page.getByRole('textbox', { name: /^Description/ }).fill('Not saved');
  await page.getByRole('link', { name: 'Pipelines' }).focus();
};

/** A form that is filled in, and the focus on what sends it. */
const tokenFilledIn = async (page) => {
  await button(page, 'Create token').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: /^Name/ }).fill('probe');
  await dialog.getByRole('button', { name: 'Create token' }).focus();
};

/** A draft that leads to the same server as a connection, but wants it to be the right one: its test is refused. */
const draftOf = async (page, connection) => {
  const endpoint = await page.evaluate(
    async (id) => (await (await fetch(`/api/v1/connections/${id}`)).json()).settings.endpointUrl,
    connection,
  );
  await page.getByLabel(/^Endpoint URL/).fill(endpoint);
  await button(page, 'Next').click();
  await button(page, 'Test connection').click();
  await button(page, 'Look at the certificate').waitFor();
};

/** Whatever is asked next is refused. */
const sessionEnded = async (page) => {
  await page.context().clearCookies();
  await page.getByRole('link', { name: 'Pipelines' }).focus();
};

const signedIn = async (page) => {
  const dialog = page.getByRole('dialog', { name: 'Sign in' });
  await dialog.getByLabel('User name').fill('ada');
  await dialog.getByRole('textbox', { name: 'Password' }).fill('correct horse battery');
  await dialog.getByRole('button', { name: 'Sign in' }).click();
};

/**
 * The key of its title among the texts, null where the title is no text of ours; its accessible name; its page; and how it is opened:
 * `opener`, a locator; or `before`, after which the focus is on what opens it; or `key`. `prepare` comes before that, `after` when it
 * is closed; or closes it, where it `stays`, whatever Escape says. `kind`: its role, where it is not a dialog. A key that ends in a dot
 * stands for all that begin so.
 */
export function openings({ line, tree, live, flow, byHand, refused, broken }) {
  const connection = `/connections/${line}/overview`;
  const functions = `/connections/${line}/functions`;
  const fn = `${functions}/${live}`;
  const more = by('More actions for Shift report');
  return [
    ['shortcuts.title', 'Keyboard shortcuts', '/connections', { key: '?' }],
    ['palette.open', 'Search and commands', '/connections', { key: 'Control+k' }],
    [
      'preferences.title',
      'How things are shown',
      '/connections',
      { opener: by('How things are shown') },
    ],
    ['copyAs.title', 'Copy as…', connection, { opener: by('Copy as…'), kind: 'menu' }],
    ['connection.more', 'More actions', connection, { opener: by('More actions'), kind: 'menu' }],
    ['suspend.title', 'Suspend “Bottling line”', connection, { opener: by('Suspend') }],
    [
      'connection.deleteTitle',
      'Delete “Bottling line”?',
      connection,
      { before: inMenu(by('More actions'), 'Delete') },
    ],
    [
      'bulk.suspendTitle',
      'Suspend 5 connections',
      '/connections',
      { prepare: chooseAll, opener: by('Suspend') },
    ],
    ['bulk.stopTitle', 'Stop 5 connections?', '/connections', { opener: by('Stop') }],
    // Nothing is suspended: each stays as it is.
    ['bulk.outcome.', 'What became of resuming', '/connections', { opener: by('Resume') }],
    [
      'trust.title',
      'Certificates of “Cloud broker”',
      `/connections/${broken}/overview`,
      { opener: by('Look at the certificate') },
    ],
    [
      'versions.restoreTitle',
      'Roll back to version 1?',
      `/connections/${tree}/settings`,
      { opener: by('Roll back to 1') },
    ],
    [
      'leave.title',
      'Leave without saving?',
      `/connections/${tree}/settings`,
      {
        before: typedAndLeaving,
        after: (page) =>
          page
            .getByRole('textbox', { name: /^Description/ })
            .fill('The same filler, with names and types.'),
      },
    ],
    [
      'functions.executeTitle',
      'Execute Read process values',
      functions,
      { opener: (page) => page.getByRole('button', { name: /^Execute/ }).first() },
    ],
    [
      'functions.deleteTitle',
      'Delete “Alarms”?',
      functions,
      { opener: (page) => page.getByRole('button', { name: /^Delete/ }).first() },
    ],
    ['points.rangeTitle', 'Make points from a range', fn, { opener: by('Range…') }],
    ['points.transfer', 'Import and export', fn, { opener: by('Import and export'), kind: 'menu' }],
    [
      'points.importTitle',
      'Import points',
      fn,
      { before: inMenu(by('Import and export'), /^Import CSV/) },
    ],
    ['health.anyRange', 'Any period…', '/health', { opener: by('Any period…') }],
    ['health.export', 'Export', '/health', { opener: by('Export'), kind: 'menu' }],
    [
      'health.form.deleteTitle',
      'Delete “Sunday updates”?',
      '/health/maintenance',
      { opener: by('Delete Sunday updates') },
    ],
    [
      'health.form.deleteTitle',
      'Delete “Shift chat”?',
      '/health/notices',
      { opener: by('Delete Shift chat') },
    ],
    [
      'pipelines.more',
      'More actions for Shift report',
      '/pipelines',
      { opener: more, kind: 'menu' },
    ],
    [
      'pipelines.deleteTitle',
      'Delete “Shift report”?',
      '/pipelines',
      { before: inMenu(more, 'Delete') },
    ],
    [
      'pipelines.more',
      'More actions for Shift report',
      `/pipelines/${byHand}/graph`,
      { opener: more, kind: 'menu' },
    ],
    [
      'runInput.title',
      'Run “Shift report” with input',
      `/pipelines/${byHand}/graph`,
      { before: inMenu(more, /^Run with/) },
    ],
    [
      'versions.restoreTitle',
      'Roll back to version 1?',
      `/pipelines/${refused}/versions`,
      { opener: by('Roll back to 1') },
    ],
    [
      'letters.deleteTitle',
      'Delete dead letters?',
      `/pipelines/${refused}/deadletters`,
      { opener: by('Delete all') },
    ],
    [
      'editor.settingsTitle',
      'Settings of the pipeline',
      `/pipelines/${flow}/edit`,
      { opener: by('Settings of the pipeline') },
    ],
    [
      'editor.deployTitle',
      'Deploy “Shift report”',
      `/pipelines/${byHand}/edit`,
      { opener: by('Review and deploy') },
    ],
    [
      'editor.discardTitle',
      'Throw the draft away?',
      `/pipelines/${byHand}/edit`,
      { opener: by('Throw the draft away') },
    ],
    ['settings.tokens.create', 'Create token', '/settings/access', { opener: by('Create token') }],
    [
      'settings.tokens.madeTitle',
      'Token “probe” is made',
      '/settings/access',
      { before: tokenFilledIn },
    ],
    [
      'settings.tokens.revokeTitle',
      'Revoke “grafana”?',
      '/settings/access',
      { opener: by('Revoke: grafana') },
    ],
    [
      null,
      /^CN=/,
      '/settings/certificates',
      { opener: (page) => page.getByRole('button', { name: /^Details/ }).first() },
    ],
    [
      'settings.certificates.trustTitle',
      'Trust this certificate?',
      '/settings/certificates',
      { opener: (page) => page.getByRole('button', { name: /^Trust: / }).first() },
    ],
    [
      'settings.certificates.removeTitle',
      /^Remove “CN=/,
      '/settings/certificates',
      { opener: (page) => page.getByRole('button', { name: /^Remove: / }).first() },
    ],
    [
      'auth.signIn.title',
      'Sign in',
      '/connections',
      { before: sessionEnded, after: signedIn, stays: true },
    ],
    // The last one: whoever leaves what is typed there is asked.
    [
      'trust.draftTitle',
      /^Certificate of /,
      '/connections/new/opcua',
      { prepare: (page) => draftOf(page, tree), opener: by('Look at the certificate') },
    ],
  ];
}
