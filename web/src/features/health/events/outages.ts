import type { Schemas } from '@/shared/api';
import type { HistoryStatus } from '@/shared/data/connections';

export type ConnectionEvent = Schemas['ConnectionEvent'];

export type GroupKind = 'outage' | 'suspension' | 'unknown' | 'change';

/** Changes that belong together: an outage with its attempts, a suspension, a time without a hub, or one change alone. */
export interface EventGroup {
  kind: GroupKind;
  /** Oldest first; the last one ended it, unless it is open. */
  events: ConnectionEvent[];
  from: string;
  /** Null while it lasts, or when its end lies beyond what was asked for. */
  to: string | null;
}

// As the hub counts (docs/health.md): an outage is over when the connection has held for 30 seconds.
const kHeldMs = 30_000;

const kindOfStatus: Partial<Record<HistoryStatus, GroupKind>> = {
  Disconnected: 'outage',
  Reconnecting: 'outage',
  Failed: 'outage',
  Suspended: 'suspension',
  Unknown: 'unknown',
};
const down: ReadonlySet<HistoryStatus> = new Set(['Disconnected', 'Failed']);

/** Whether `event`, which follows in a group of this kind, still belongs to it without ending it. */
function continues(kind: GroupKind, event: ConnectionEvent, next: ConnectionEvent | undefined) {
  if (kind !== 'outage') return kindOfStatus[event.to] === kind;
  if (kindOfStatus[event.to] === 'outage' || event.to === 'Connecting') return true;
  return (
    event.to === 'Connected' &&
    next !== undefined &&
    down.has(next.to) &&
    Date.parse(next.at) - Date.parse(event.at) < kHeldMs
  );
}

/** `events`, oldest first, in groups, oldest first. */
export function groupEvents(events: readonly ConnectionEvent[]): EventGroup[] {
  const groups: EventGroup[] = [];
  let open: EventGroup | null = null;
  events.forEach((event, index) => {
    const before: EventGroup | null = open;
    if (before) {
      const more = continues(before.kind, event, events[index + 1]);
      const own = kindOfStatus[event.to];
      if (more || own === undefined) before.events.push(event);
      if (more) return;
      before.to = event.at;
      open = null;
      if (own === undefined) return;
    }
    const kind: GroupKind = kindOfStatus[event.to] ?? 'change';
    const group: EventGroup = {
      kind,
      events: [event],
      from: event.at,
      to: kind === 'change' ? event.at : null,
    };
    groups.push(group);
    if (kind !== 'change') open = group;
  });
  return groups;
}

/** What a group is about: the first cause of an outage, the reason of a suspension. */
export function reasonOf({ kind, events }: EventGroup): string {
  const [first] = events;
  if (kind === 'outage') return events.find(({ cause }) => cause)?.cause?.message ?? '';
  if (kind === 'suspension') return first?.note?.replace(/^suspended: /, '') ?? '';
  return first?.cause?.message ?? first?.note ?? '';
}

/** How many attempts were made within an outage. */
export const attemptsOf = ({ events }: EventGroup): number =>
  events.filter(({ to }) => to === 'Reconnecting' || to === 'Connecting').length;
