import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { openings } from '../../tests/browser/openings.mjs';
import { en } from './shared/i18n/en';

const root = import.meta.dirname;

/** What lies above the page; its title is in `title` or `aria-label`, and of a menu it is what opens it. */
const kLayer =
  /^(\w*Dialog|dialog|Modal|Modal\.Content|Drawer|Popover\.Dropdown|HoverCard\.Dropdown)$/;
const kMenu = 'Menu.Target';
const kTitles = ['title', 'aria-label'];

type Tag = ts.JsxOpeningElement | ts.JsxSelfClosingElement;

const isTag = (node: ts.Node): node is Tag =>
  ts.isJsxOpeningElement(node) || ts.isJsxSelfClosingElement(node);

/** The keys of all texts in it; of `bulk.${action}` what is certain. */
function keysIn(node: ts.Node): string[] {
  const keys: string[] = [];
  const visit = (one: ts.Node) => {
    if (ts.isCallExpression(one) && one.expression.getText() === 't') {
      const [key] = one.arguments;
      if (key && ts.isStringLiteralLike(key)) keys.push(key.text);
      else if (key && ts.isTemplateExpression(key)) keys.push(key.head.text);
    }
    ts.forEachChild(one, visit);
  };
  visit(node);
  return keys;
}

function attribute(tag: Tag, names: readonly string[]): ts.Node | undefined {
  return tag.attributes.properties.find(
    (one) => ts.isJsxAttribute(one) && names.includes(one.name.getText()),
  );
}

/** The label of the button in it; without one, its text. */
function menuKeys(target: ts.Node): string[] {
  const labels: string[] = [];
  const visit = (node: ts.Node) => {
    const label = isTag(node) && attribute(node, ['aria-label']);
    if (label) labels.push(...keysIn(label));
    ts.forEachChild(node, visit);
  };
  visit(target);
  return labels.length > 0 ? labels : keysIn(target);
}

interface Layer {
  path: string;
  tag: string;
  keys: string[];
}

function layersOf(path: string, text: string): Layer[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const layers: Layer[] = [];
  const visit = (node: ts.Node) => {
    if (isTag(node)) {
      const tag = node.tagName.getText();
      const title = attribute(node, kTitles);
      // One that hands its title on, or is made of another that has it, is found where the title is.
      if (tag === kMenu) layers.push({ path, tag, keys: menuKeys(node.parent) });
      else if (kLayer.test(tag) && title && !title.getText().includes('props.title'))
        layers.push({ path, tag, keys: keysIn(title) });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return layers;
}

const layers = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /(?<!\.test)\.tsx$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name))
  .flatMap((path) => layersOf(relative(root, path), readFileSync(path, 'utf8')));

const opened = openings({});

/** The texts of a key, of each number where it has several. */
function textsOf(key: string): string[] {
  const flat = (texts: object, path: string): [string, string][] =>
    Object.entries(texts).flatMap(([name, value]) =>
      typeof value === 'string' ? [[path + name, value]] : flat(value, `${path}${name}.`),
    );
  return flat(en, '')
    .filter(([name]) =>
      key.endsWith('.') ? name.startsWith(key) : name.replace(/_(one|other)$/, '') === key,
    )
    .map(([, text]) => text);
}

describe('the browser test of dialogs, menus and popovers', () => {
  it('opens each that is in the sources', () => {
    expect(layers.length).toBeGreaterThan(30);
    const wanted = new Map<string, string[]>();
    for (const { path, tag, keys } of layers) {
      expect(keys, `<${tag}> in ${path} has no title of our texts`).not.toEqual([]);
      for (const key of keys) wanted.set(key, [...(wanted.get(key) ?? []), path]);
    }
    const missing = [...wanted].filter(
      ([key, paths]) => opened.filter(([title]) => title === key).length < paths.length,
    );
    expect(missing, 'tests/browser/openings.mjs does not open what has these titles').toEqual([]);
  });

  it('looks for no title that is not there', () => {
    const known = new Set(layers.flatMap(({ keys }) => keys));
    expect(opened.filter(([title]) => title !== null && !known.has(title))).toEqual([]);
  });

  it('names each as its text does', () => {
    const wrong = opened.filter(([title, name]) => {
      if (title === null || typeof name !== 'string') return false;
      return !textsOf(title).some((text) => {
        const parts = text.split(/\{\{[^}]*\}\}/).map((part) => part.replaceAll(/[.?()]/g, '\\$&'));
        return new RegExp(`^${parts.join('.*')}$`).test(name);
      });
    });
    expect(wrong).toEqual([]);
  });
});
