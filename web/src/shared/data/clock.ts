// The hub's clock and the browser's may differ by minutes. Ages and countdowns are counted on the hub's.
let offsetMs = 0;
let best = Number.POSITIVE_INFINITY;

const kIgnoreMs = 1500;

/** Takes note of a time that the hub has just stamped. */
export function observeHubTime(stamp: string, nowMs = Date.now()): void {
  const difference = nowMs - Date.parse(stamp);
  if (!Number.isFinite(difference)) return;
  // The least delayed message tells the difference best; let an old best fade, because clocks drift.
  best = Math.min(best + 5, difference);
  offsetMs = Math.abs(best) < kIgnoreMs ? 0 : best;
}

/** Now, on the hub's clock. */
export const hubNow = (): number => Date.now() - offsetMs;
