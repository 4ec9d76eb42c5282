import type { Schemas } from '@/shared/api';
import { observeHubTime } from '@/shared/data/clock';
import type { Sample } from '@/shared/data/functions';

/** The last value of a point, and what is known of its recent past. */
export interface PointSeries {
  name: string;
  sample: Sample;
  /** Milliseconds on the hub's clock, ascending. */
  times: number[];
  /** A number, or null where nothing is known: a gap in the line. */
  values: (number | null)[];
}

/** A record with its place among all that came. */
export interface NumberedRecord {
  number: number;
  record: Schemas['Record'];
}

/** How long the past is kept: the longest window of the chart. */
export const kKeepMs = 300_000;
/** So many of the newest records are kept. */
export const kMaxRecords = 100;
const kMaxPerPoint = 4000;
const kMaxPoints = 10_000;
// Of all points together: a tab that is left open stays within bounds. Long lists keep a shorter past of each point.
const kMaxValues = 2_000_000;

/** The number to draw for a value; null when it is none. */
export function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return null;
}

const timeOf = (sample: Sample): number => Date.parse(sample.sourceTime ?? sample.receiveTime);

/** The points of one function, fed by its live topic. Listeners are told at most five times a second. */
export class FunctionSeries {
  readonly #points = new Map<string, PointSeries>();
  readonly #listeners = new Set<() => void>();
  #list: PointSeries[] = [];
  #records: NumberedRecord[] = [];
  #count = 0;
  #pending: ReturnType<typeof setTimeout> | undefined;
  #updates: number[] = [];
  stale = true;

  get points(): PointSeries[] {
    return this.#list;
  }

  find(name: string): PointSeries | undefined {
    return this.#points.get(name);
  }

  /** What came as records and not as points (messages, events, rows), the newest first. */
  get records(): readonly NumberedRecord[] {
    return this.#records;
  }

  remember(records: readonly Schemas['Record'][]): void {
    const numbered = records.map((record) => ({ number: ++this.#count, record }));
    this.#records = [...numbered.toReversed(), ...this.#records].slice(0, kMaxRecords);
  }

  /** Values per second over the last five seconds. */
  get rate(): number {
    const since = Date.now() - 5000;
    this.#updates = this.#updates.filter((at) => at >= since);
    return this.#updates.length / 5;
  }

  readonly listen = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly current = (): PointSeries[] => this.#list;

  snapshot(samples: Sample[]): void {
    this.stale = false;
    const alive = new Set(samples.map((sample) => sample.point));
    for (const name of this.#points.keys()) if (!alive.has(name)) this.#points.delete(name);
    for (const sample of samples) this.#take(sample);
    this.#changed();
  }

  delta(samples: Sample[]): void {
    const newest = samples.at(-1);
    if (newest) observeHubTime(newest.receiveTime);
    for (const sample of samples) {
      this.#take(sample);
      this.#updates.push(Date.now());
    }
    this.#changed();
  }

  /** Nothing is known from now on: lines end here, and good values are not good any more. */
  lose(): void {
    if (this.stale) return;
    this.stale = true;
    for (const point of this.#points.values()) this.#end(point, point.times.at(-1) ?? 0);
    this.#changed();
  }

  #take(sample: Sample): void {
    const time = timeOf(sample);
    let point = this.#points.get(sample.point);
    if (!point) {
      if (this.#points.size >= kMaxPoints) return;
      point = { name: sample.point, sample, times: [], values: [] };
      this.#points.set(sample.point, point);
    }
    point.sample = sample;
    const last = point.times.at(-1);
    if (last !== undefined && time < last) return;
    const value = sample.quality === 'bad' ? null : numberOf(sample.value);
    if (value === null) this.#end(point, time);
    else if (time === last && point.values.at(-1) !== null)
      point.values[point.values.length - 1] = value;
    else this.#append(point, time, value);
  }

  /** The line holds its last value up to `time` and stops there. */
  #end(point: PointSeries, time: number): void {
    const value = point.values.at(-1);
    if (value === null || value === undefined) return;
    const last = point.times.at(-1) ?? time;
    if (time > last) this.#append(point, time, value);
    this.#append(point, Math.max(time, last) + 1, null);
  }

  #append(point: PointSeries, time: number, value: number | null): void {
    point.times.push(time);
    point.values.push(value);
    const tooOld = time - kKeepMs;
    const most = Math.min(kMaxPerPoint, Math.floor(kMaxValues / this.#points.size));
    // One value from before the window stays: a line of changes needs it to start from.
    if (point.times.length > most || (point.times[256] ?? time) < tooOld) {
      let cut = Math.max(0, point.times.length - most);
      while ((point.times[cut + 1] ?? time) < tooOld) cut += 1;
      point.times.splice(0, cut);
      point.values.splice(0, cut);
    }
  }

  #changed(): void {
    if (this.#pending !== undefined) return;
    this.#pending = setTimeout(() => {
      this.#pending = undefined;
      this.#list = [...this.#points.values()];
      for (const listener of this.#listeners) listener();
    }, 200);
  }
}

/** The step line of one window that ends `now`. A good value lasts until the next one, also up to now. */
export function windowOf(
  point: PointSeries,
  now: number,
  windowMs: number,
  live: boolean,
): { times: number[]; values: (number | null)[] } {
  const from = now - windowMs;
  let start = point.times.findIndex((time) => time >= from);
  if (start < 0) start = point.times.length;
  const times = point.times.slice(start);
  const values = point.values.slice(start);
  const before = point.values[start - 1];
  if (start > 0 && before !== null && before !== undefined) {
    times.unshift(from);
    values.unshift(before);
  }
  const last = values.at(-1);
  if (live && last !== null && last !== undefined && (times.at(-1) ?? now) < now) {
    times.push(now);
    values.push(last);
  }
  return { times, values };
}

/** Least, greatest and time-weighted mean of a window; null when nothing is known in it. */
export function statistics({ times, values }: { times: number[]; values: (number | null)[] }) {
  const known = values.filter((value): value is number => value !== null);
  if (known.length === 0) return null;
  let area = 0;
  let span = 0;
  for (let i = 0; i + 1 < times.length; i += 1) {
    const value = values[i];
    const next = values[i + 1];
    if (value === null || value === undefined || next === null) continue;
    const width = (times[i + 1] ?? 0) - (times[i] ?? 0);
    area += value * width;
    span += width;
  }
  return {
    min: Math.min(...known),
    max: Math.max(...known),
    mean: span > 0 ? area / span : (known[0] ?? 0),
  };
}
