import { useCallback, useEffect, useMemo, useState } from 'react';
import { type Address, useNow } from '@/shared/ui';
import { type Bounds, boundsOf, keyOf, type Period, periodFrom, putInto } from './period';

const kSettleMs = 250;
const kTickMs = 15_000;

export interface ChosenPeriod {
  /** What the hub is asked for. */
  period: Period;
  /** What is shown: while one zooms, ahead of what the hub is asked for. */
  bounds: Bounds;
  choose: (period: Period) => void;
  zoom: (bounds: Bounds) => void;
}

/** The period of the page, kept in its address. A zoom shows at once, and the hub is asked when it has come to rest. */
export function usePeriod({ params, change }: Address): ChosenPeriod {
  const now = useNow(kTickMs);
  const period = useMemo(() => periodFrom(params), [params]);
  const [draft, setDraft] = useState<Bounds | null>(null);
  const key = keyOf(period);
  const write = useCallback((next: Period) => change((kept) => putInto(kept, next)), [change]);
  useEffect(() => {
    if (!draft) return;
    // The draft counts until the address has taken it over: a key pressed meanwhile goes on from there, and is not taken back.
    if (keyOf(draft) === key) {
      setDraft((newest) => (newest === draft ? null : newest));
      return;
    }
    const timer = setTimeout(() => write(draft), kSettleMs);
    return () => clearTimeout(timer);
  }, [draft, key, write]);
  const choose = useCallback(
    (next: Period) => {
      setDraft(null);
      write(next);
    },
    [write],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: the period by its key
  const settled = useMemo(() => boundsOf(period, now), [key, now]);
  return { period, bounds: draft ?? settled, choose, zoom: setDraft };
}
