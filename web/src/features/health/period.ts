const kHour = 3_600_000;

/** The periods that one chooses with one click, in milliseconds until now. */
export const presets = {
  h1: kHour,
  h6: 6 * kHour,
  d1: 24 * kHour,
  d7: 168 * kHour,
  d30: 720 * kHour,
  d90: 2160 * kHour,
} as const;
export type Preset = keyof typeof presets;

/** Milliseconds since 1970, the end excluded. */
export interface Bounds {
  from: number;
  to: number;
}

/** What is looked at: the time until now, or a period that stands still. */
export type Period = { last: Preset } | Bounds;

export const kDefault: Preset = 'd1';
const kShortest = 10_000;
const kLongest = 400 * 24 * kHour;

export const isPreset = (name: string | null): name is Preset => name !== null && name in presets;

export function boundsOf(period: Period, now: number): Bounds {
  return 'last' in period ? { from: now - presets[period.last], to: now } : period;
}

export const keyOf = (period: Period): string =>
  'last' in period ? period.last : `${period.from}-${period.to}`;

export const isoOf = ({ from, to }: Bounds) => ({
  from: new Date(from).toISOString(),
  to: new Date(to).toISOString(),
});

/** From the address: `last=d7`, or `from` and `to`; the last day when it says nothing that can be read. */
export function periodFrom(params: URLSearchParams): Period {
  const last = params.get('last');
  if (isPreset(last)) return { last };
  const from = Date.parse(params.get('from') ?? '');
  const to = Date.parse(params.get('to') ?? '');
  return from < to ? { from, to } : { last: kDefault };
}

export function putInto(params: URLSearchParams, period: Period): void {
  for (const name of ['last', 'from', 'to']) params.delete(name);
  if ('last' in period) params.set('last', period.last);
  else for (const [name, at] of Object.entries(isoOf(period))) params.set(name, at);
}

/** Moved, if need be, so that it does not reach into the future. */
function notAfter({ from, to }: Bounds, now: number): Bounds {
  const over = Math.max(0, to - now);
  return { from: Math.round(from - over), to: Math.round(to - over) };
}

/** Longer by `factor` (shorter below 1), where what lies at `anchor` (0 to 1) stays in its place. */
export function zoomed(bounds: Bounds, factor: number, anchor: number, now: number): Bounds {
  const span = bounds.to - bounds.from;
  const next = Math.min(kLongest, Math.max(kShortest, span * factor));
  const from = bounds.from + (span - next) * anchor;
  return notAfter({ from, to: from + next }, now);
}

/** Moved by a share of its own length. */
export function moved(bounds: Bounds, share: number, now: number): Bounds {
  const by = (bounds.to - bounds.from) * share;
  return notAfter({ from: bounds.from + by, to: bounds.to + by }, now);
}

/** What was marked between two places (0 to 1), in either order; never shorter than can be seen. */
export function marked(bounds: Bounds, a: number, b: number): Bounds {
  const span = bounds.to - bounds.from;
  const from = bounds.from + span * Math.max(0, Math.min(a, b));
  const to = bounds.from + span * Math.min(1, Math.max(a, b));
  const short = Math.max(0, kShortest - (to - from)) / 2;
  return { from: Math.round(from - short), to: Math.round(to + short) };
}

/** How often a period that ends now is asked for again: what it shows moves by a pixel, but not more than 4 times a minute. */
export function refreshMsOf(period: Period): number | false {
  if (!('last' in period)) return false;
  return Math.min(300_000, Math.max(15_000, presets[period.last] / 1000));
}
