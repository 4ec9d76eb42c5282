import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { Schemas } from '@/shared/api';
import type { Sample } from '@/shared/data/functions';
import { useLiveClient } from '@/shared/live';
import { samplesOf } from './records';
import { FunctionSeries } from './series';

const isSample = (value: unknown): value is Sample =>
  typeof value === 'object' && value !== null && 'point' in value && 'quality' in value;

const toSamples = (items: unknown[]): Sample[] =>
  items.every(isSample) ? items : samplesOf(items as Schemas['Record'][]);

/** The live points of a function, and what the hub said when it refused to send them. */
export function useSeries(functionId: string): { series: FunctionSeries; refused: string | null } {
  const client = useLiveClient();
  const [refused, setRefused] = useState<string | null>(null);
  // A new store for each function: nothing of one is ever shown as another's.
  const series = useMemo(() => {
    void functionId;
    return new FunctionSeries();
  }, [functionId]);
  useEffect(
    () =>
      client.subscribe(
        { topic: 'values', functionId },
        {
          onSnapshot: (data) => {
            setRefused(null);
            // After a reconnect it says again what is known already.
            if (series.records.length === 0 && !data.every(isSample))
              series.remember(data as Schemas['Record'][]);
            series.snapshot(toSamples(data));
          },
          onDelta: (data) => {
            const { samples, records } = data as Schemas['FunctionData'];
            series.remember(records ?? []);
            series.delta([...(samples ?? []), ...samplesOf(records ?? [])]);
          },
          onStale: () => series.lose(),
          onError: (error) => setRefused(error.message),
        },
      ),
    [client, functionId, series],
  );
  useSyncExternalStore(series.listen, series.current);
  return { series, refused };
}
