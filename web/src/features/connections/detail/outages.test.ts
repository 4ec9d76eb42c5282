import { describe, expect, it } from 'vitest';
import type { HistoryStatus } from '@/shared/data/connections';
import type { ConnectionEvent } from '../data';
import { groupByOutage } from './outages';

function history(...statuses: HistoryStatus[]): ConnectionEvent[] {
  return statuses.slice(1).map((to, index) => ({
    seq: index + 1,
    at: new Date(Date.UTC(2026, 10, 22, 10, index)).toISOString(),
    from: statuses[index] ?? null,
    to,
    epoch: 1,
    cause:
      to === 'Disconnected' || to === 'Failed'
        ? { class: 'Transient', code: `cause_${index + 1}`, message: 'refused' }
        : null,
    note: null,
    actor: null,
    monotonicNs: null,
    bootId: null,
  }));
}

describe('grouping by outage', () => {
  it('begins with the loss, counts attempts, and ends with the return', () => {
    const entries = groupByOutage(
      history('Connected', 'Disconnected', 'Reconnecting', 'Failed', 'Reconnecting', 'Connected'),
    );
    expect(entries).toHaveLength(1);
    expect(entries[0]).toMatchObject({
      kind: 'outage',
      attempts: 2,
      failed: true,
      end: 'Connected',
      cause: { code: 'cause_1' },
    });
  });

  it('tells two outages apart, and leaves what is none alone', () => {
    const kinds = groupByOutage(
      history(
        'Idle',
        'Connecting',
        'Connected',
        'Disconnected',
        'Reconnecting',
        'Connected',
        'Disconnected',
        'Suspended',
        'Idle',
      ),
    ).map((entry) => entry.kind);
    expect(kinds).toEqual(['change', 'change', 'outage', 'outage', 'change']);
  });

  it('has no end while it lasts, and ends where the hub itself was down', () => {
    const [open] = groupByOutage(history('Connected', 'Disconnected', 'Reconnecting'));
    expect(open).toMatchObject({ to: null, end: null });
    const [cut] = groupByOutage(history('Connected', 'Failed', 'Unknown'));
    expect(cut).toMatchObject({ end: 'Unknown' });
  });
});
