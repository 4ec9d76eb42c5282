// What a browser must load before the first screen shows, against the budget (gzip). Builds first when there is no build.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const root = new URL('..', import.meta.url).pathname;
// The parts that are loaded when they are first needed, by the names of their modules, and what each may weigh.
const later = {
  chart: [['Chart', 'ResultChart', 'uPlot.min'], 35],
  canvas: [['Canvas'], 80],
  'code editor': [['CodeEditor'], 180],
};
const budgets = {
  'first screen JS': 240,
  'first screen CSS': 40,
  ...Object.fromEntries(Object.entries(later).map(([name, [, limit]]) => [name, limit])),
};

if (!existsSync(`${root}dist/index.html`))
  execFileSync('npm', ['run', '-s', 'build'], { cwd: root, stdio: 'inherit' });

const html = readFileSync(`${root}dist/index.html`, 'utf8');
const size = (path) => gzipSync(readFileSync(`${root}dist/${path}`), { level: 9 }).length / 1000;
const sum = (paths) => paths.reduce((total, path) => total + size(path), 0);
const linked = [...html.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css))"/g)].map((match) => match[1]);
const files = readdirSync(`${root}dist/assets`);
const partsOf = (modules) =>
  files.filter((name) => modules.some((module) => name.startsWith(`${module}-`)));

const measured = {
  'first screen JS': sum(linked.filter((path) => path.endsWith('.js'))),
  'first screen CSS': sum(linked.filter((path) => path.endsWith('.css'))),
  ...Object.fromEntries(
    Object.entries(later).map(([name, [modules]]) => [
      name,
      sum(partsOf(modules).map((file) => `assets/${file}`)),
    ]),
  ),
};
const problems = Object.entries(budgets)
  .filter(([name, limit]) => measured[name] > limit)
  .map(
    ([name, limit]) =>
      `${name}: ${measured[name].toFixed(1)} kB is above its budget of ${limit} kB (gzip)`,
  );
if (/<(script|style)(?![^>]*\bsrc=)[^>]*>/.test(html))
  problems.push(
    'index.html has an inline script or style, which the content security policy refuses',
  );
for (const [name, [modules]] of Object.entries(later)) {
  for (const module of modules)
    if (partsOf([module]).length === 0)
      problems.push(`There is no ${module}-….js: the ${name} is not loaded by itself any more`);
  if (partsOf(modules).some((file) => linked.includes(`assets/${file}`)))
    problems.push(`The ${name} is part of the first screen; load it when it is needed`);
}
if (problems.length > 0) {
  process.stderr.write(`${problems.join('\n')}\n`);
  process.exit(1);
}
process.stdout.write(
  `${Object.entries(measured)
    .map(([name, kb]) => `${name} ${kb.toFixed(0)}/${budgets[name]} kB`)
    .join(', ')}\n`,
);
