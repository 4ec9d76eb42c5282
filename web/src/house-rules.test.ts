import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { kTextsOf } from '@/shared/i18n';
import { en } from '@/shared/i18n/en';
import { themeCss } from '@/shared/theme/theme-css';
import { demoPlant, print as printDemo } from '../scripts/demo.mjs';
import { nodeTypes, print } from '../scripts/node-types.mjs';

const root = import.meta.dirname;
const sources = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter(
    (entry) =>
      entry.isFile() && /\.(ts|tsx|css)$/.test(entry.name) && !entry.name.endsWith('.d.ts'),
  )
  .map((entry) => join(entry.parentPath, entry.name))
  .map((path) => ({ path: relative(root, path), text: readFileSync(path, 'utf8') }));

const importsOf = (text: string): string[] =>
  [...text.matchAll(/(?:from|import\()\s*'(@\/[^']+|\.[^']*)'/g)].map((match) => match[1] ?? '');

function layerOf(path: string, specifier: string): { layer: string; feature: string } {
  const full = specifier.startsWith('@/')
    ? specifier.slice(2)
    : relative(root, join(root, path, '..', specifier));
  const [layer = '', feature = ''] = full.split('/');
  return { layer, feature };
}

describe('the house rules of the interface', () => {
  it('let an import only point down: app → features → shared, and never across features', () => {
    const wrong: string[] = [];
    for (const { path, text } of sources.filter((one) => !one.path.endsWith('.css'))) {
      const [from = '', own = ''] = path.split('/');
      for (const specifier of importsOf(text)) {
        const { layer, feature } = layerOf(path, specifier);
        const allowed =
          from === 'main.tsx' ||
          from.endsWith('.test.ts') ||
          layer === 'shared' ||
          (from === 'app' && (layer === 'app' || layer === 'features')) ||
          (from === 'features' && layer === 'features' && feature === own);
        if (!allowed) wrong.push(`${path} imports ${specifier}: move what both need to src/shared`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('keep a file to one idea: at most 600 lines', () => {
    const long = sources
      .filter(({ text }) => text.split('\n').length > 600)
      .map(({ path }) => path);
    expect(long).toEqual([]);
  });

  it('keep texts in shared/i18n, where they can be translated', () => {
    const written: string[] = [];
    for (const { path, text } of sources.filter(
      (one) => one.path.endsWith('.tsx') && !one.path.includes('.test.'),
    )) {
      for (const match of text.matchAll(
        /(?:>|(?:label|title|placeholder|aria-label)=")\s*([A-Z][a-z]+ [a-z][^<>{}="]*)/g,
      )) {
        written.push(`${path}: ${match[1]}`);
      }
    }
    expect(written).toEqual([]);
  });

  it('show no text that is not loaded by then', () => {
    const files = new Map<string, string>();
    for (const { path, text } of sources) {
      const name = /^shared\/i18n\/en\/(\w+)\.ts$/.exec(path)?.[1];
      for (const match of text.matchAll(/^ {2}(\w+): \{/gm))
        if (name && match[1]) files.set(match[1], name);
    }
    expect([...files.keys()].sort()).toEqual(Object.keys(en).sort());
    const first = ['shell', 'form', 'data'];
    // An entry of the audit, by its name there.
    const kNoTexts = new Set(['pipeline.delete']);
    const wrong: string[] = [];
    for (const { path, text } of sources) {
      if (/\.test\.|\.css$|^shared\/(i18n|testing|api)/.test(path)) continue;
      const [, feature = ''] = path.split('/');
      const parts = Object.entries(kTextsOf).find(([name]) => name === feature)?.[1] ?? [];
      const allowed = [...first, ...parts];
      for (const [, key = '', top = ''] of text.matchAll(
        /['`](([a-zA-Z]+)\.[a-zA-Z$][^'`]*)['`]/g,
      )) {
        const file = files.get(top);
        if (file && !allowed.includes(file) && !kNoTexts.has(key))
          wrong.push(
            `${path} shows ${key}: its texts are in ${file}.ts, which its page does not load`,
          );
      }
    }
    expect(wrong).toEqual([]);
  });

  it('make no inline style elements, which the content security policy forbids', () => {
    const risky = sources.filter(
      ({ path, text }) =>
        !path.endsWith('house-rules.test.ts') &&
        /<style|<(AppShell|SimpleGrid|Grid|Flex)\b|hiddenFrom=|visibleFrom=|=\{\{ base:/.test(text),
    );
    expect(risky.map(({ path }) => path)).toEqual([]);
  });

  it('have the CSS variables of the theme as it is now (npm run theme)', () => {
    expect(readFileSync(join(root, 'shared/theme/variables.css'), 'utf8')).toBe(themeCss());
  });

  it('have the node types as the hub declares them now (npm run nodes)', () => {
    const file = join(root, 'features/pipelines/graph/node-types.json');
    expect(readFileSync(file, 'utf8')).toBe(print(nodeTypes()));
  });

  it('make the same demo as the document of the simulated plant (npm run demo)', () => {
    const file = join(root, 'features/auth/demo-plant.json');
    expect(readFileSync(file, 'utf8')).toBe(printDemo(demoPlant()));
  });
});
