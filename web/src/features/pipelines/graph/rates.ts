import type { Schemas } from '@/shared/api';

const kWindowMs = 10_000;

/** Records per second over the last ten seconds, of counters that only grow; one that falls has begun anew. */
export class RateMeter {
  readonly #seen = new Map<string, { at: number; count: number }[]>();

  observe(key: string, count: number, at: number): void {
    const list = this.#seen.get(key) ?? [];
    const last = list.at(-1);
    const kept = last && count < last.count ? [] : list;
    kept.push({ at, count });
    // One from before the window stays: the slope begins there.
    while (kept.length > 2 && (kept[1]?.at ?? at) <= at - kWindowMs) kept.shift();
    this.#seen.set(key, kept);
  }

  /** Per second; null while nothing can be said. */
  rate(key: string, now: number): number | null {
    const list = this.#seen.get(key) ?? [];
    const first = list[0];
    const last = list.at(-1);
    if (!first || !last || list.length < 2) return null;
    if (last.at < now - kWindowMs) return 0;
    const span = (now - first.at) / 1000;
    return span < 0.5 ? null : (last.count - first.count) / span;
  }
}

type Run = Schemas['Run'];

interface NodePart {
  nodeId: string;
  recordsIn: number;
  recordsOut: number;
  errors: number;
}

export interface NodeDetail extends NodePart {
  filtered?: number;
  dropped?: number;
  held?: number;
  durationMs?: number;
  error?: { class: string; code: string; message: string };
  failedInput?: unknown;
  /** First of the last batch, where the pipeline's history is `full`. */
  input?: unknown;
  output?: unknown;
  log?: string[];
}

/** What the nodes did in a run; empty where the pipeline keeps none of it. */
export function nodesOf(run: Run): NodeDetail[] {
  const detail = run.detail as { nodes?: NodeDetail[] } | null | undefined;
  return Array.isArray(detail?.nodes) ? detail.nodes : [];
}

/**
 * Records per second into each node, from the runs that the stream tells of. A run is told again and again while it is at
 * work, and batches that come fast share one: what counts is by how much it has grown.
 */
export class Throughput {
  readonly #meter = new RateMeter();
  readonly #known = new Map<string, Map<string, number>>();
  readonly #totals = new Map<string, number>();

  /** `baseline`: a run from before, which is known and not counted. */
  observe(run: Run, at: number, baseline = false): void {
    const before = this.#known.get(run.id) ?? new Map<string, number>();
    const now = new Map<string, number>();
    for (const { nodeId, recordsIn } of nodesOf(run)) {
      now.set(nodeId, recordsIn);
      const grown = baseline ? 0 : Math.max(0, recordsIn - (before.get(nodeId) ?? 0));
      const total = (this.#totals.get(nodeId) ?? 0) + grown;
      this.#totals.set(nodeId, total);
      this.#meter.observe(nodeId, total, at);
    }
    this.#known.set(run.id, now);
    const [oldest] = this.#known.keys();
    if (this.#known.size > 50 && oldest) this.#known.delete(oldest);
  }

  rate(nodeId: string, now: number): number | null {
    return this.#meter.rate(nodeId, now);
  }
}
