import type { JsonObject } from '@/shared/form';

/** Names that stand for many, by the same rules as the hub's (src/field/range.hpp). */
const kRange = /\[([^[\]{}]*\.\.[^[\]{}]*)\]|\{([^[\]{}]*\.\.[^[\]{}]*)\}/g;
const kInside = /^(\d{1,9})\.\.(\d{1,9})(?:\.\.(\d{1,9}))?$/;

export type RangeFault =
  | { fault: 'bad'; range: string }
  | { fault: 'tooMany' }
  | { fault: 'uneven'; member: string; wanted: number; found: number };

export const isFault = (value: object): value is RangeFault => 'fault' in value;

interface Range {
  from: number;
  step: number;
  count: number;
  width: number;
}

function rangeOf(inside: string): Range | null {
  const [, first = '', last = '', step = '1'] = inside.match(kInside) ?? [];
  if (first === '' || Number(step) === 0) return null;
  const from = Number(first);
  const to = Number(last);
  const padded = [first, last].some((text) => text.length > 1 && text.startsWith('0'));
  return {
    from,
    step: from <= to ? Number(step) : -Number(step),
    count: Math.floor(Math.abs(to - from) / Number(step)) + 1,
    width: padded ? Math.max(first.length, last.length) : 0,
  };
}

const numbersOf = ({ from, step, count, width }: Range): string[] =>
  Array.from({ length: count }, (_, at) => String(from + at * step).padStart(width, '0'));

/**
 * Every name that `pattern` stands for: `[1..40]` keeps its brackets, `{1..40}` does not, `{0..90..10}` takes steps, `{01..40}`
 * keeps the width. With several ranges the last one counts fastest. A text without ranges stands for itself.
 */
export function expandRanges(pattern: string, most: number): string[] | RangeFault {
  let names = [''];
  let end = 0;
  for (const match of pattern.matchAll(kRange)) {
    const inside = match[1] ?? match[2] ?? '';
    const range = rangeOf(inside);
    if (!range) return { fault: 'bad', range: match[0] };
    if (range.count * names.length > most) return { fault: 'tooMany' };
    const numbers = numbersOf(range);
    const text = pattern.slice(end, match.index);
    const brackets = match[1] !== undefined;
    names = names.flatMap((name) =>
      numbers.map((number) => name + text + (brackets ? `[${number}]` : number)),
    );
    end = match.index + match[0].length;
  }
  return names.map((name) => name + pattern.slice(end));
}

/**
 * The points of a pattern: the key's range says how many. Ranges in other texts count along with it, and a number with a step
 * (`steps`, by member) goes up from one point to the next.
 */
export function generate(
  pattern: JsonObject,
  steps: Readonly<Record<string, number>>,
  key: string,
  most: number,
): JsonObject[] | RangeFault {
  const names = expandRanges(String(pattern[key] ?? ''), most);
  if (!Array.isArray(names)) return names;
  const texts = new Map<string, string[]>([[key, names]]);
  for (const [member, value] of Object.entries(pattern)) {
    if (member === key || typeof value !== 'string') continue;
    const found = expandRanges(value, most);
    if (!Array.isArray(found)) return found;
    if (found.length === 1) continue;
    if (found.length !== names.length)
      return { fault: 'uneven', member, wanted: names.length, found: found.length };
    texts.set(member, found);
  }
  return names.map((_, index) => {
    const row: JsonObject = {};
    for (const [member, value] of Object.entries(pattern)) {
      const step = steps[member] ?? 0;
      row[member] =
        texts.get(member)?.[index] ??
        // Decimal steps would gather dust in the last digits.
        (typeof value === 'number' ? Number((value + step * index).toPrecision(12)) : value);
    }
    return row;
  });
}
