import type { Schemas } from '@/shared/api';
import type { HistoryStatus } from '@/shared/data/connections';

export interface Segment {
  from: string;
  to: string;
  status: HistoryStatus;
}

/** One pixel column of the timeline. */
export interface Bucket {
  /** Share of the column in each status, in drawing order; together at most 1. */
  parts: { status: HistoryStatus; share: number }[];
  /** Something failed within it, however short: it gets a notch. */
  failed: boolean;
}

// From the bottom of the bar upwards: what is well below, what wants attention on top.
const kStack: HistoryStatus[] = [
  'Connected',
  'Idle',
  'Suspended',
  'Unknown',
  'Connecting',
  'Reconnecting',
  'Disconnected',
  'Failed',
];
const kFailures: ReadonlySet<HistoryStatus> = new Set(['Disconnected', 'Failed']);

/**
 * Divides the period into `count` columns, each filled in proportion to the time in each status: a short dip neither vanishes
 * nor paints the day red.
 */
export function bucketsOf(segments: Segment[], from: number, to: number, count: number): Bucket[] {
  const width = (to - from) / count;
  const totals = Array.from({ length: count }, () => new Map<HistoryStatus, number>());
  const failed = new Array<boolean>(count).fill(false);
  for (const segment of segments) {
    const start = Math.max(from, Date.parse(segment.from));
    const end = Math.min(to, Date.parse(segment.to));
    if (end < start) continue;
    const first = Math.min(count - 1, Math.floor((start - from) / width));
    const last = Math.min(count - 1, Math.max(first, Math.ceil((end - from) / width) - 1));
    for (let index = first; index <= last; index += 1) {
      const left = from + index * width;
      const share = Math.max(0, Math.min(end, left + width) - Math.max(start, left)) / width;
      const bucket = totals[index];
      bucket?.set(segment.status, (bucket.get(segment.status) ?? 0) + share);
      if (kFailures.has(segment.status)) failed[index] = true;
    }
  }
  return totals.map((bucket, index) => ({
    parts: kStack
      .filter((status) => (bucket.get(status) ?? 0) > 0)
      .map((status) => ({ status, share: bucket.get(status) ?? 0 })),
    failed: failed[index] ?? false,
  }));
}

/**
 * Of a history with too many changes to be listed the hub tells the parts of the period (`buckets`): as segments, within each part in
 * drawing order. There are more parts than pixels, so the columns are the same.
 */
export function segmentsOf(parts: Schemas['HealthBucket'][]): Segment[] {
  return parts.flatMap(({ from, to, seconds }) => {
    const start = Date.parse(from);
    const total = Object.values(seconds).reduce((sum, one) => sum + one, 0);
    const perSecond = total > 0 ? (Date.parse(to) - start) / total : 0;
    let at = start;
    return kStack
      .filter((status) => seconds[status] > 0)
      .map((status) => {
        const begin = at;
        at += seconds[status] * perSecond;
        return { status, from: new Date(begin).toISOString(), to: new Date(at).toISOString() };
      });
  });
}

/** Milliseconds in each status within the bounds, the longest first. */
export function sharesOf(
  segments: Segment[],
  from: number,
  to: number,
): { status: HistoryStatus; ms: number }[] {
  const [all] = bucketsOf(segments, from, to, 1);
  return (all?.parts ?? [])
    .map(({ status, share }) => ({ status, ms: share * (to - from) }))
    .sort((a, b) => b.ms - a.ms);
}
