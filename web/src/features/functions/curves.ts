import type { Schemas } from '@/shared/api';

type ExecuteResult = Schemas['ExecuteResult'];

/** Lines over one axis, as a chart wants them. */
export interface Curves {
  /** Milliseconds since 1970 when `time`, else places from 1. */
  x: number[];
  time: boolean;
  /** null: a gap; undefined: nothing said at that moment, and the line goes on. */
  lines: { name: string; values: (number | null | undefined)[] }[];
}

const kMaxLines = 8;

const numberOf = (value: unknown): number | null =>
  typeof value === 'number' ? value : typeof value === 'boolean' ? Number(value) : null;

const timeOf = (value: unknown): number | null => {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d[T ]\d\d:/.test(value)) return null;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : at;
};

/** The columns of records that are numbers, over the first column of times that goes up; else over the rows. */
function ofRecords(records: Schemas['Record'][]): Curves | null {
  const columns = [...new Set(records.flatMap((record) => Object.keys(record)))].filter(
    (name) => name !== '$meta',
  );
  const lines = columns
    .map((name) => ({ name, values: records.map((record) => numberOf(record[name])) }))
    .filter(({ values }) => values.some((value) => value !== null))
    .slice(0, kMaxLines);
  if (lines.length === 0) return null;
  for (const name of columns) {
    const times = records.map((record) => timeOf(record[name]));
    const rising = times.every(
      (at, index) => at !== null && (index === 0 || at > (times[index - 1] ?? at)),
    );
    if (rising) return { x: times as number[], time: true, lines };
  }
  return { x: records.map((_, index) => index + 1), time: false, lines };
}

/** Of records that hold one value each: the member with the value's time, if there is one in all of them. */
function timeNameOf(records: Schemas['Record'][]): string | undefined {
  const [first] = records;
  if (!first || !records.every(({ point }) => typeof point === 'string')) return undefined;
  if (!records.some((record) => 'value' in record)) return undefined;
  return Object.keys(first).find((name) =>
    records.every((record) => !('value' in record) || timeOf(record[name]) !== null),
  );
}

/** Records that hold one value of one point each, as a history does: a line for each point over all their times. */
function ofHistory(records: Schemas['Record'][], timeName: string): Curves | null {
  const values = new Map<string, Map<number, number | null>>();
  for (const record of records) {
    const at = timeOf(record[timeName]);
    if (at === null || !('value' in record)) continue;
    const line = values.get(String(record.point)) ?? new Map<number, number | null>();
    line.set(at, record.quality === 'bad' ? null : numberOf(record.value));
    values.set(String(record.point), line);
  }
  const lines = [...values]
    .filter(([, line]) => [...line.values()].some((value) => value !== null))
    .slice(0, kMaxLines);
  if (lines.length === 0) return null;
  const x = [...new Set(lines.flatMap(([, line]) => [...line.keys()]))].sort((a, b) => a - b);
  return {
    x,
    time: true,
    lines: lines.map(([name, line]) => ({ name, values: x.map((at) => line.get(at)) })),
  };
}

/** Points of one call are one moment: their line is made of the calls made one after the other. */
function ofSamples(results: readonly ExecuteResult[]): Curves | null {
  const names = new Set<string>();
  for (const { data } of results) {
    for (const { point, value } of data?.samples ?? [])
      if (numberOf(value) !== null) names.add(point);
  }
  const lines = [...names].slice(0, kMaxLines).map((name) => ({
    name,
    values: results.map(({ data }) => {
      const sample = data?.samples?.find(({ point }) => point === name);
      return sample && sample.quality !== 'bad' ? numberOf(sample.value) : null;
    }),
  }));
  if (lines.length === 0) return null;
  return { x: results.map(({ timestamp }) => Date.parse(timestamp)), time: true, lines };
}

/** What of the answers can be drawn: the newest one's records, or the samples of all; null when there are fewer than two moments. */
export function curvesOf(results: readonly ExecuteResult[]): Curves | null {
  const records = results.at(-1)?.data?.records ?? [];
  const timeName = timeNameOf(records);
  const curves =
    timeName !== undefined
      ? ofHistory(records, timeName)
      : records.length > 0
        ? ofRecords(records)
        : ofSamples(results);
  return curves && curves.x.length > 1 ? curves : null;
}
