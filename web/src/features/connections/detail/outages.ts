import type { HistoryStatus } from '@/shared/data/connections';
import type { ConnectionEvent } from '../data';

/** From the loss or the first failed attempt until it was up again, at rest, or nobody knows. */
export interface Outage {
  kind: 'outage';
  /** Oldest first; the last one is the end, unless it is still going on. */
  events: ConnectionEvent[];
  from: string;
  /** Null while it lasts. */
  to: string | null;
  end: HistoryStatus | null;
  /** It had ended in Failed at some time. */
  failed: boolean;
  attempts: number;
  cause: ConnectionEvent['cause'];
}

export type Entry = Outage | { kind: 'change'; event: ConnectionEvent };

const kDown: HistoryStatus[] = ['Disconnected', 'Failed'];
const kTrying: HistoryStatus[] = ['Connecting', 'Reconnecting'];

function begin(event: ConnectionEvent): Outage {
  return {
    kind: 'outage',
    events: [event],
    from: event.at,
    to: null,
    end: null,
    failed: event.to === 'Failed',
    attempts: 0,
    cause: event.cause,
  };
}

/** Changes of status, oldest first, with those of one outage put together. */
export function groupByOutage(events: readonly ConnectionEvent[]): Entry[] {
  const entries: Entry[] = [];
  let outage: Outage | null = null;
  for (const event of events) {
    if (!outage) {
      if (kDown.includes(event.to)) {
        outage = begin(event);
        entries.push(outage);
      } else entries.push({ kind: 'change', event });
      continue;
    }
    outage.events.push(event);
    outage.cause ??= event.cause;
    if (event.to === 'Failed') outage.failed = true;
    if (kTrying.includes(event.to)) outage.attempts += 1;
    else if (!kDown.includes(event.to)) {
      outage.to = event.at;
      outage.end = event.to;
      outage = null;
    }
  }
  return entries;
}
