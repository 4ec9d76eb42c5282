import type { Schemas } from '@/shared/api';

const kDay = 86_400;

const durations: Schemas['Durations'] = {
  Idle: 0,
  Connecting: 0,
  Connected: kDay - 3600,
  Disconnected: 0,
  Reconnecting: 0,
  Failed: 0,
  Suspended: 3600,
  Unknown: 0,
};

const figures: Schemas['OwnHealthFigures'] = {
  durations,
  uptimePercent: 100,
  uptimeReason: null,
  connectedSeconds: kDay - 3600,
  countedSeconds: kDay - 3600,
  downSeconds: 0,
  excluded: { idleSeconds: 0, suspendedSeconds: 3600, unknownSeconds: 0 },
  failureCount: 0,
  recoveries: 0,
  meanRecoverySeconds: null,
  meanTimeBetweenFailuresSeconds: null,
  longestRecoverySeconds: null,
  longestOutageSeconds: null,
  openOutageSeconds: null,
  flapping: { active: false, since: null, changesPerHour: 0 },
};

/** The figures of a connection that was up for a day, but for an hour of maintenance. */
export const summary = (
  more: Partial<Schemas['ConnectionHealthSummary']> = {},
): Schemas['ConnectionHealthSummary'] => ({
  id: 'c1',
  name: 'Filler',
  type: 'modbus',
  status: 'Connected',
  ...figures,
  ...more,
});

export const connectionHealth = (
  more: Partial<Schemas['ConnectionHealth']> = {},
): Schemas['ConnectionHealth'] => ({
  ...figures,
  clockUncertain: false,
  clockSteps: [],
  from: '2026-11-21T12:00:00.000Z',
  to: '2026-11-22T12:00:00.000Z',
  timeline: [
    { from: '2026-11-21T12:00:00.000Z', to: '2026-11-22T08:00:00.000Z', status: 'Connected' },
    { from: '2026-11-22T08:00:00.000Z', to: '2026-11-22T09:00:00.000Z', status: 'Suspended' },
    { from: '2026-11-22T09:00:00.000Z', to: '2026-11-22T12:00:00.000Z', status: 'Connected' },
  ],
  timelineComplete: true,
  buckets: [],
  ...more,
});

export const systemHealth = (
  items: Schemas['ConnectionHealthSummary'][],
  more: Partial<Schemas['SystemHealth']> = {},
): Schemas['SystemHealth'] => ({
  ...figures,
  clockUncertain: false,
  clockSteps: [],
  from: '2026-11-21T12:00:00.000Z',
  to: '2026-11-22T12:00:00.000Z',
  connections: items.length,
  totals: {
    Idle: 0,
    Connecting: 0,
    Connected: items.length,
    Disconnected: 0,
    Reconnecting: 0,
    Failed: 0,
    Suspended: 0,
  },
  items,
  next: null,
  mostFailures: [],
  mostDowntime: [],
  flapping: [],
  issueCount: 0,
  currentIssues: [],
  alarms: [],
  ...more,
});
