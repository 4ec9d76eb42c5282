import { isObject, isPlaceholder, type JsonObject, type JsonSchema } from '@/shared/form';
import { nextName } from '@/shared/form/fields/TableField';
import { labelOf } from '@/shared/form/fields/types';
import { dereference, shapeOf } from '@/shared/form/resolve';

/** The list of points of one function, and what its schema says of a row. */
export interface PointSchema {
  items: JsonSchema;
  root: JsonSchema;
  /** The member that tells points apart. */
  key: string;
}

export interface Column {
  name: string;
  label: string;
  schema: JsonSchema;
  required: boolean;
}

export function pointSchemaOf(list: JsonSchema, root: JsonSchema): PointSchema {
  return { items: dereference(list.items ?? {}, root), root, key: list['x-key'] ?? 'name' };
}

/** The members of a point as columns. Those that only some rows can have are there as soon as a row has them. */
export function columnsOf({ items, root }: PointSchema, rows: readonly JsonObject[]): Column[] {
  const { properties, required } = shapeOf(items, {}, root);
  return properties
    .filter(([, schema]) => !['object', 'array', undefined].includes(schema.type))
    .filter(
      ([name, schema]) => !schema['x-showWhen'] || rows.some((row) => row[name] !== undefined),
    )
    .map(([name, schema]) => ({
      name,
      label: labelOf(name, schema),
      schema,
      required: required.has(name),
    }));
}

export const setCell = (row: JsonObject, name: string, value: unknown): JsonObject => {
  const { [name]: _, ...others } = row;
  return value === undefined ? others : { ...row, [name]: value };
};

/** The text of a cell as one edits and copies it. */
export const cellText = (value: unknown): string =>
  value === undefined || value === null
    ? ''
    : typeof value === 'string'
      ? value
      : JSON.stringify(value);

const kNumber = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const kYes = ['true', '1', 'yes'];
const kNo = ['false', '0', 'no'];

/**
 * What a cell's text means for its column; the text itself where it means nothing, so that validation can say so. A decimal
 * comma counts, as spreadsheets of many countries write it, and so does the title of a choice.
 */
export function cellValue(schema: JsonSchema, text: string): unknown {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  const placeholder: boolean = isPlaceholder(trimmed);
  if (placeholder) return trimmed;
  if (schema.enum) {
    const wanted = trimmed.toLowerCase();
    const titles = schema['x-enumTitles'] ?? {};
    return (
      schema.enum.find((one) => String(one).toLowerCase() === wanted) ??
      schema.enum.find((one) => titles[String(one)]?.toLowerCase() === wanted) ??
      trimmed
    );
  }
  switch (schema.type) {
    case 'integer':
    case 'number': {
      const plain = trimmed.replace(',', '.');
      if (/^0x[0-9a-f]+$/i.test(plain)) return Number.parseInt(plain, 16);
      return kNumber.test(plain) ? Number(plain) : trimmed;
    }
    case 'boolean': {
      const word = trimmed.toLowerCase();
      return kYes.includes(word) ? true : kNo.includes(word) ? false : trimmed;
    }
    default:
      // In front of a text that a spreadsheet would compute stands an apostrophe: the hub's exports have it.
      return /^'[=+\-@\t\r']/.test(text) ? text.slice(1) : text;
  }
}

/** Copies under names that no row has yet, behind the last of what is copied. */
export function duplicate(
  rows: readonly JsonObject[],
  chosen: readonly number[],
  key: string,
): JsonObject[] {
  const taken = new Set(rows.map((row) => row[key]));
  const copies = chosen.flatMap((index) => {
    const row = rows[index];
    if (!row) return [];
    const name = row[key];
    if (typeof name !== 'string') return [{ ...row }];
    const copy = { ...row, [key]: nextName(name, taken) };
    taken.add(copy[key]);
    return [copy];
  });
  const after = (chosen.at(-1) ?? rows.length - 1) + 1;
  return [...rows.slice(0, after), ...copies, ...rows.slice(after)];
}

export function removeRows(rows: readonly JsonObject[], chosen: readonly number[]): JsonObject[] {
  const gone = new Set(chosen);
  return rows.filter((_, index) => !gone.has(index));
}

/** The cells of what a spreadsheet put on the clipboard, or of a CSV text: tabs, semicolons or commas; quotes as RFC 4180 has them. */
export function parseCells(text: string): string[][] {
  const [first = ''] = text.split(/[\r\n]/, 1);
  const separator = ['\t', ';', ','].find((one) => first.includes(one)) ?? '\t';
  const lines: string[][] = [[]];
  let cell = '';
  let quoted = false;
  const endCell = () => {
    lines.at(-1)?.push(cell);
    cell = '';
  };
  const body = text
    .replace(/^\ufeff/, '')
    .replace(/\r\n?/g, '\n')
    .replace(/\n+$/, '');
  for (let at = 0; at < body.length; at += 1) {
    const sign = body[at] ?? '';
    if (quoted) {
      if (sign !== '"') cell += sign;
      else if (body[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (sign === '"' && cell === '') quoted = true;
    else if (sign === separator) endCell();
    else if (sign === '\n') {
      endCell();
      lines.push([]);
    } else cell += sign;
  }
  endCell();
  return lines.filter((line) => line.some((one) => one !== ''));
}

/** The members that the first line names, by name or title; null when it is no heading. */
function headingsOf(line: string[], point: PointSchema): (string | null)[] | null {
  const { properties } = shapeOf(point.items, {}, point.root);
  const names = line.map((cell) => {
    const wanted = cell.trim().toLowerCase();
    const found = properties.find(
      ([name, schema]) =>
        name.toLowerCase() === wanted || labelOf(name, schema).toLowerCase() === wanted,
    );
    return found?.[0] ?? null;
  });
  const known = names.filter((name) => name !== null);
  return known.length > 0 && line.every((cell, at) => cell === '' || names[at] !== null)
    ? names
    : null;
}

const schemaOf = (point: PointSchema, name: string): JsonSchema =>
  new Map(shapeOf(point.items, {}, point.root).properties).get(name) ?? {};

function rowOf(cells: string[], names: (string | null)[], point: PointSchema): JsonObject {
  const row: JsonObject = {};
  names.forEach((name, at) => {
    const value = name === null ? undefined : cellValue(schemaOf(point, name), cells[at] ?? '');
    if (name !== null && value !== undefined) row[name] = value;
  });
  return row;
}

export interface Pasted {
  rows: JsonObject[];
  /** Where the pasted rows are. */
  first: number;
  count: number;
}

/**
 * Puts a block of cells where the cursor is, as a spreadsheet does: to the right and down, over the rows of `places` and then
 * into new ones at the end. With a heading in its first line it is a list of points instead: those whose name is known are changed, others added at the end.
 */
export function paste(
  rows: readonly JsonObject[],
  text: string,
  point: PointSchema,
  at: { places: readonly number[]; column: number; columns: readonly Column[] },
): Pasted {
  const lines = parseCells(text);
  const [heading = [], ...body] = lines;
  const names = headingsOf(heading, point);
  const next = [...rows];
  if (names) {
    const places = new Map(next.map((row, index) => [row[point.key], index]));
    let first = next.length;
    for (const cells of body) {
      const row = rowOf(cells, names, point);
      const place = places.get(row[point.key]);
      if (row[point.key] !== undefined && place !== undefined) {
        next[place] = { ...next[place], ...row };
        first = Math.min(first, place);
      } else {
        places.set(row[point.key], next.length);
        next.push(row);
      }
    }
    return { rows: next, first, count: body.length };
  }
  lines.forEach((cells, down) => {
    const place = at.places[down] ?? next.length;
    let row = next[place] ?? {};
    cells.forEach((cell, right) => {
      const column = at.columns[at.column + right];
      if (column) row = setCell(row, column.name, cellValue(column.schema, cell));
    });
    next[place] = row;
  });
  return { rows: next, first: at.places[0] ?? rows.length, count: lines.length };
}

const guarded = (text: string): string => (/^[=+\-@\t\r']/.test(text) ? `'${text}` : text);
const quoted = (text: string): string =>
  /["\t\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

/** Rows as a spreadsheet takes them: tabs between the cells, the members' names in the first line. */
export function copyText(rows: readonly JsonObject[], point: PointSchema): string {
  const names = shapeOf(point.items, {}, point.root).properties.map(([name]) => name);
  const used = names.filter((name) => rows.some((row) => row[name] !== undefined));
  const line = (row: JsonObject) =>
    used.map((name) => {
      const value = row[name];
      const text = cellText(value);
      return quoted(typeof value === 'string' ? guarded(text) : text);
    });
  return [used, ...rows.map(line)].map((cells) => cells.join('\t')).join('\n');
}

export type Outcome = 'create' | 'update' | 'unchanged' | 'remove';

export interface Change {
  outcome: Outcome;
  name: string;
  /** From 1, in the new list; in the old one of what is removed. */
  row: number;
  /** The members that differ. */
  members: string[];
}

/** What becomes of each point when `after` takes the place of `before`. */
export function compare(
  before: readonly JsonObject[],
  after: readonly JsonObject[],
  key: string,
): Change[] {
  const old = new Map(before.map((row) => [row[key], row]));
  const changes = after.map((row, index): Change => {
    const was = old.get(row[key]);
    const names = was ? [...new Set([...Object.keys(was), ...Object.keys(row)])] : [];
    const members = names.filter((name) => cellText(was?.[name]) !== cellText(row[name]));
    const outcome = !was ? 'create' : members.length > 0 ? 'update' : 'unchanged';
    return { outcome, name: cellText(row[key]), row: index + 1, members };
  });
  const kept = new Set(after.map((row) => row[key]));
  const removed = before.flatMap((row, index): Change[] =>
    kept.has(row[key])
      ? []
      : [{ outcome: 'remove', name: cellText(row[key]), row: index + 1, members: [] }],
  );
  return [...changes, ...removed];
}

export const rowsOf = (value: unknown): JsonObject[] =>
  Array.isArray(value) ? value.map((row) => (isObject(row) ? row : {})) : [];
