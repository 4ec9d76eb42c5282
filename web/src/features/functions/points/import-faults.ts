import type { TFunction } from 'i18next';
import { ApiError } from '@/shared/api';

/** Something that keeps a file from being imported, and where it stands. */
export interface Fault {
  place: string;
  message: string;
}

/** A text that is not JSON, or not a list. The place counts from 1; null when it is not known. */
export class JsonFault extends Error {
  readonly kind: 'syntax' | 'list';
  readonly place: { line: number; column: number } | null;

  constructor(kind: 'syntax' | 'list', message: string, place: JsonFault['place'] = null) {
    super(message);
    this.kind = kind;
    this.place = place;
  }
}

/** The list of points in a JSON text. Throws JsonFault. */
export function jsonRows(text: string): unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const { message } = error as SyntaxError;
    const at = Number(message.match(/position (\d+)/)?.[1] ?? Number.NaN);
    const before = Number.isNaN(at) ? null : text.slice(0, at).split('\n');
    const place = before && { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
    throw new JsonFault('syntax', message, place);
  }
  if (!Array.isArray(value)) throw new JsonFault('list', '');
  return value;
}

// "Line 3, column 2 (address): …" is how the hub says where something of a CSV file stands.
const kPlaced = /^(Line \d+(?:, column \d+)?(?: \([^)]*\))?): (.*)$/s;

/** What is wrong with a file, in the order of its lines; empty when the error is none of the file's. */
export function faultsOf(error: unknown, member: string, t: TFunction): Fault[] {
  if (error instanceof JsonFault) {
    if (error.kind === 'list') return [{ place: '', message: t('points.notList') }];
    const place = error.place ?? { line: '?', column: '?' };
    return [{ place: '', message: t('points.notJson', { ...place, message: error.message }) }];
  }
  if (!(error instanceof ApiError)) return [];
  const below = `/settings/${member}/`;
  return error.fields.map(({ pointer, message }) => {
    const [, place, rest] = message.match(kPlaced) ?? [];
    if (place !== undefined) return { place, message: rest ?? '' };
    if (!pointer.startsWith(below)) return { place: '', message };
    const [row = '', name] = pointer.slice(below.length).split('/');
    const where = `${t('points.row')} ${Number(row) + 1}`;
    return { place: name ? `${where}, ${name}` : where, message };
  });
}
