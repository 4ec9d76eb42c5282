import { useMemo } from 'react';
import type { HubFunction } from '@/shared/data/functions';
import { useLiveStatus } from '@/shared/live';
import type { ShownQuality } from '@/shared/status';
import type { FunctionSeries, PointSeries } from './series';
import { type UnitOf, unitsOf } from './units';
import { useSeries } from './use-series';

/** What a subscription reports, as it comes, and how far it can be believed. */
export interface LivePoints {
  series: FunctionSeries;
  /** What the hub said when it refused to send them. */
  refused: string | null;
  live: boolean;
  unitOf: UnitOf;
  /** Never good while the line to the hub is down. */
  qualityOf: (point: PointSeries) => ShownQuality;
}

export function useLivePoints(fn: HubFunction): LivePoints {
  const { series, refused } = useSeries(fn.id);
  const lineStatus = useLiveStatus();
  const unitOf = useMemo(() => unitsOf(fn.settings), [fn.settings]);
  const live = lineStatus === 'live' && !series.stale;
  return {
    series,
    refused,
    live,
    unitOf,
    qualityOf: ({ sample }) => (!live && sample.quality !== 'bad' ? 'stale' : sample.quality),
  };
}
