// What the browser tests share: processes that are stopped by id, a hub with the demo, and a browser that is watched.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { parseArgs } from 'node:util';

const source = new URL('../../', import.meta.url).pathname;
const require = createRequire(join(source, 'web/package.json'));
const { chromium } = require('playwright-core');
const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const kBrowserFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

export class Failure extends Error {}

export function check(condition, sentence) {
  if (!condition) throw new Failure(sentence);
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** A child process whose output is kept; `said` waits for a line of it. */
class Child {
  constructor(binary, args) {
    this.name = args[0];
    this.output = '';
    this.process = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.on('data', (chunk) => {
        this.output += chunk;
      });
    }
    this.ended = new Promise((resolve) => this.process.once('exit', resolve));
  }

  async said(pattern, seconds) {
    const found = await until(() => {
      check(
        this.process.exitCode === null,
        `${this.name} ended with ${this.process.exitCode}:\n${this.output}`,
      );
      return this.output.match(pattern);
    }, seconds);
    check(found, `${this.name} did not say ${pattern} within ${seconds} s:\n${this.output}`);
    return found;
  }

  async stop() {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => this.process.kill('SIGKILL'), 15_000);
    await this.ended;
    clearTimeout(timer);
  }
}

/** The first true answer of `question`, or null after `seconds`. */
export async function until(question, seconds) {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const answer = await question();
    if (answer) return answer;
    if (performance.now() > deadline) return null;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function status(url) {
  return new Promise((resolve) => {
    const asked = request(url, { rejectUnauthorized: false, timeout: 2000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.on('error', () => resolve(0));
    asked.on('timeout', () => asked.destroy());
    asked.end();
  });
}

/** A hub that has just been started for the first time, with the simulated plant and its demo. */
export class Demo {
  /** `empty`: without the connections and pipelines of the demo; `flags`: more of them for the hub. */
  static async start(binary, { empty = false, flags = [] } = {}) {
    check(binary && existsSync(binary), 'Set TRIBUTARY_BIN to the tributary binary to test.');
    const demo = new Demo();
    demo.binary = binary;
    demo.folder = mkdtempSync(join(tmpdir(), 'tributary-browser-'));
    demo.children = [];
    demo.flags = flags;
    try {
      demo.plantPort = 0;
      await demo.startPlant();
      demo.port = await freePort();
      demo.base = `https://127.0.0.1:${demo.port}`;
      await demo.startHub();
      demo.code = (await demo.hub.said(/Setup code: (\S+)/, 30))[1];
      demo.answering = performance.now();
      if (empty) return demo;
      const file = join(source, 'demo/plant.yaml');
      const applied = spawnSync(
        binary,
        ['apply', '--data-dir', demo.folder, '--set', `port=${demo.plantPort}`, file],
        { encoding: 'utf8', timeout: 60_000 },
      );
      check(
        applied.status === 0,
        `The demo could not be applied:\n${applied.stdout}${applied.stderr}`,
      );
      return demo;
    } catch (error) {
      await demo.stop();
      throw error;
    }
  }

  spawn(binary, args) {
    const child = new Child(binary, args);
    this.children.push(child);
    return child;
  }

  /** The plant; at the port that it had, when it was stopped. */
  async startPlant() {
    const port = String(this.plantPort);
    this.plant = this.spawn(this.binary, [
      'simulate',
      'plant',
      ...['--host', '127.0.0.1', '--port', port],
    ]);
    this.plantPort = Number((await this.plant.said(/127\.0\.0\.1:(\d+)/, 20))[1]);
  }

  /** The hub on its data and its port; again after `hub.stop()`. */
  async startHub() {
    const listen = `127.0.0.1:${this.port}`;
    this.hub = this.spawn(this.binary, [
      'serve',
      ...['--data-dir', this.folder, '--listen', listen, '--tls', 'auto'],
      ...this.flags,
    ]);
    const ready = await until(async () => (await status(`${this.base}/readyz`)) === 200, 60);
    check(ready, `The hub is not ready within 60 s:\n${this.hub.output}`);
  }

  /** As when the power goes. */
  async killHub() {
    this.hub.process.kill('SIGKILL');
    await this.hub.ended;
  }

  /** What `tributary WORDS` says, with `input` on its standard input; an end other than 0 is a failure. */
  command(words, input = '') {
    const {
      status: code,
      stdout,
      stderr,
    } = spawnSync(this.binary, words, {
      encoding: 'utf8',
      input,
      timeout: 900_000,
    });
    check(code === 0, `tributary ${words.join(' ')} ended with ${code}:\n${stdout}${stderr}`);
    return stdout;
  }

  get setupLink() {
    return `${this.base}/setup#code=${this.code}`;
  }

  async stop() {
    for (const child of this.children.toReversed()) await child.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const mimes = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/**
 * For work on the interface without building the hub: with TRIBUTARY_WEB=web/dist its pages come from there, under the policy
 * that the hub sends with them; everything else comes from the hub.
 */
async function serveFrom(folder, context, base) {
  const policy =
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
  await context.route(`${base}/**`, (route) => {
    const { pathname } = new URL(route.request().url());
    if (/^\/(api|hooks|healthz|readyz|metrics)(\/|$)/.test(pathname)) return route.fallback();
    const file = extname(pathname) === '' ? 'index.html' : pathname;
    return route.fulfill({
      path: join(folder, file),
      contentType: mimes[extname(file)],
      headers: { 'Content-Security-Policy': policy },
    });
  });
}

/** One page in Chromium that counts clicks and keeps whatever a healthy page must not do. */
export class WatchedPage {
  static async open(base, colorScheme = 'light') {
    const watched = new WatchedPage();
    watched.base = base;
    watched.clicks = 0;
    watched.problems = [];
    watched.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      // Pages that did not come over the network may not call loopback addresses otherwise.
      args: process.env.TRIBUTARY_WEB
        ? [...kBrowserFlags, '--disable-features=LocalNetworkAccessChecks']
        : kBrowserFlags,
    });
    const context = await watched.browser.newContext({
      ignoreHTTPSErrors: true,
      colorScheme,
      viewport: { width: 1440, height: 900 },
    });
    if (process.env.TRIBUTARY_WEB) await serveFrom(process.env.TRIBUTARY_WEB, context, base);
    watched.page = await context.newPage();
    watched.page.setDefaultTimeout(60_000);
    await watched.page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        // biome-ignore lint/suspicious/noConsole: this is how the page tells the test
        console.error(
          `policy violation: ${event.violatedDirective} refused ${event.blockedURI} (${event.sourceFile}:${event.lineNumber})`,
        );
      });
    });
    watched.page.on('request', (asked) => {
      const url = new URL(asked.url());
      const own =
        url.host === new URL(base).host || url.protocol === 'data:' || url.protocol === 'blob:';
      if (!own) watched.problems.push(`asked a foreign host: ${asked.url()}`);
    });
    watched.page.on('pageerror', (error) => watched.problems.push(`threw: ${error.message}`));
    watched.page.on('console', (message) => {
      // Asking who is signed in, while nobody is, is answered with 401; browsers log that.
      if (
        message.type() === 'error' &&
        !/status of 401/.test(message.text()) &&
        !watched.expected?.test(message.text())
      )
        watched.problems.push(`logged: ${message.text()} (${message.location().url})`);
    });
    return watched;
  }

  /** A click, as a person makes it: counted. */
  async click(locator) {
    this.clicks += 1;
    await locator.click();
  }

  /** What fades in, moves or changes its colour has done so; what turns for ever does not count. */
  async settled() {
    await this.page.waitForFunction(() =>
      document
        .getAnimations()
        .every(
          (one) =>
            one.playState !== 'running' ||
            !Number.isFinite(one.effect?.getComputedTiming().endTime),
        ),
    );
  }

  /** No serious or critical finding on the page, or in what `within` selects. */
  async isAccessible(name, within = 'html') {
    await this.settled();
    if (!(await this.page.evaluate(() => 'axe' in globalThis))) await this.page.evaluate(axeSource);
    const { violations } = await this.page.evaluate(
      (selector) =>
        globalThis.axe.run(selector, {
          runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
          resultTypes: ['violations'],
        }),
      within,
    );
    for (const { id, impact, help, nodes } of violations) {
      if (impact !== 'serious' && impact !== 'critical') continue;
      this.problems.push(
        `${name}: ${impact} accessibility problem ${id} (${help}): ${nodes
          .slice(0, 3)
          .map((node) => node.html.slice(0, 160))
          .join(' | ')}`,
      );
    }
  }

  /** Into the folder of `--screenshots`; without it, none is made. */
  async screenshot(name) {
    if (!this.screenshots) return;
    mkdirSync(this.screenshots, { recursive: true });
    await this.page.screenshot({
      path: join(this.screenshots, `${name}.png`),
      fullPage: this.fullPage,
    });
  }

  async close() {
    await this.browser.close();
  }
}

/** Asks the hub as the page would, whatever version of a thing there is; what it answers, with `status` where it refused. */
export function ask({ page }, method, path, body) {
  return page.evaluate(
    async ([how, where, what]) => {
      const answer = await fetch(`/api/v1${where}`, {
        method: how,
        headers: {
          'X-Requested-With': 'tributary',
          'Content-Type': 'application/json',
          ...(how === 'PATCH' ? { 'If-Match': '*' } : {}),
        },
        ...(what ? { body: JSON.stringify(what) } : {}),
      });
      return answer.status === 204 ? null : answer.json();
    },
    [method, path, body],
  );
}

/** The administrator is made; the page shows the connections. */
export async function signUp({ page }, demo) {
  await page.goto(demo.setupLink);
  await page.getByLabel('User name').fill('ada');
  await page.getByRole('textbox', { name: 'Password' }).fill('correct horse battery');
  await page.getByRole('button', { name: 'Create administrator' }).click();
  await page.getByRole('link', { name: 'Pipelines' }).waitFor();
}

/** The page has its heading, and nothing of it is being loaded any more. */
export async function loaded({ page }) {
  await page.waitForFunction(
    () => document.querySelector('h1') && !document.querySelector('[aria-label="Loading"]'),
  );
}

/** A page of the interface, when it is all there. */
export async function show(watched, path) {
  await watched.page.goto(watched.base + path);
  await loaded(watched);
}

/** What has the focus is called; a shadow root's own focus counts. */
export const focused = ({ page }) =>
  page.evaluate(() => {
    let here = document.activeElement;
    while (here?.shadowRoot?.activeElement) here = here.shadowRoot.activeElement;
    // A switch has two labels: its track, which is empty, and its text.
    const labels = [...(here?.labels ?? [])].map((one) => one.textContent).join('');
    const label = here?.getAttribute('aria-label') ?? (labels || here?.textContent);
    return label?.replace(/\s*\*$/, '').trim() ?? '';
  });

/** Tab until the focus is on what has this name, a text or a pattern. */
export async function tabTo(watched, name) {
  const passed = [];
  for (let count = 0; count < 120; count += 1) {
    await watched.page.keyboard.press('Tab');
    const label = await focused(watched);
    passed.push(label.slice(0, 40));
    if (typeof name === 'string' ? label === name : name.test(label)) return;
  }
  throw new Failure(`Tab never came to “${name}”, only to ${[...new Set(passed)].join(' | ')}.`);
}

async function takeJourney(journey, { done, expected, empty, flags, fullPage = false }) {
  const { values } = parseArgs({
    options: { screenshots: { type: 'string' } },
    strict: false,
  });
  const demo = await Demo.start(process.env.TRIBUTARY_BIN, { empty, flags });
  let watched;
  try {
    watched = await WatchedPage.open(demo.base);
    Object.assign(watched, { expected, fullPage, screenshots: values.screenshots });
    await journey(demo, watched);
    check(
      watched.problems.length === 0,
      `The pages did what they must not:\n${watched.problems.join('\n')}`,
    );
    process.stdout.write(`${done}\n`);
  } catch (error) {
    if (watched) {
      process.stderr.write(`At ${watched.page.url()}\n${watched.problems.join('\n')}\n`);
      const path = join(process.env.TMPDIR ?? '/tmp', 'tributary-browser-failure.png');
      await watched.page.screenshot({ path, fullPage }).then(
        () => process.stderr.write(`Screenshot: ${path}\n`),
        () => {},
      );
    }
    throw error;
  } finally {
    await watched?.close();
    await demo.stop();
  }
}

/**
 * Takes `journey(demo, watched)` with a hub of its own and says `done` when nothing was wrong. `expected`: what the browser may
 * log; `empty`: the hub has nothing yet; `flags`: more of them for the hub; `fullPage`: screenshots show all of a page.
 */
export function run(journey, options) {
  takeJourney(journey, options).catch((error) => {
    process.stderr.write(`${error instanceof Failure ? error.message : error.stack}\n`);
    process.exitCode = 1;
  });
}
