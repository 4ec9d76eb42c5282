import { describe, expect, it } from 'vitest';
import type { HistoryStatus } from '@/shared/data/connections';
import { attemptsOf, type ConnectionEvent, groupEvents, reasonOf } from './outages';

const start = Date.parse('2026-11-22T10:00:00Z');

/** Changes as `[seconds, status, cause or note]`. */
function history(...changes: [number, HistoryStatus, string?][]): ConnectionEvent[] {
  return changes.map(([seconds, to, why], index) => {
    const failed = to === 'Disconnected' || to === 'Failed';
    return {
      seq: index + 1,
      at: new Date(start + seconds * 1000).toISOString(),
      from: changes[index - 1]?.[1] ?? null,
      to,
      epoch: index,
      cause: failed && why ? { class: 'Transient', code: 'reset', message: why } : null,
      note: failed ? null : (why ?? null),
      actor: null,
      monotonicNs: null,
      bootId: null,
    };
  });
}

const at = (seconds: number) => new Date(start + seconds * 1000).toISOString();

describe('events', () => {
  it('of an outage are one group, from the loss to the connection that held', () => {
    const groups = groupEvents(
      history(
        [0, 'Connected'],
        [60, 'Disconnected', 'reset'],
        [61, 'Reconnecting'],
        [62, 'Disconnected', 'refused'],
        [64, 'Reconnecting'],
        [65, 'Connected'],
        [200, 'Idle', 'stop'],
      ),
    );
    expect(groups.map(({ kind }) => kind)).toEqual(['change', 'outage', 'change']);
    expect(groups[1]).toMatchObject({ from: at(60), to: at(65) });
    expect(groups[1]?.events).toHaveLength(5);
    expect(groups[1] && reasonOf(groups[1])).toBe('reset');
    expect(groups[1] && attemptsOf(groups[1])).toBe(2);
  });

  it('of a connection that came back for a moment stay one outage', () => {
    const [only, ...others] = groupEvents(
      history(
        [0, 'Disconnected', 'reset'],
        [5, 'Reconnecting'],
        [6, 'Connected'],
        [20, 'Disconnected', 'reset'],
        [25, 'Reconnecting'],
        [26, 'Connected'],
      ),
    );
    expect(others).toEqual([]);
    expect(only).toMatchObject({ kind: 'outage', from: at(0), to: at(26) });
  });

  it('of a connection that held for 30 s are two outages', () => {
    const groups = groupEvents(
      history([0, 'Disconnected', 'a'], [1, 'Connected'], [31, 'Disconnected', 'b']),
    );
    expect(groups.map(({ kind, to }) => [kind, to])).toEqual([
      ['outage', at(1)],
      ['outage', null],
    ]);
  });

  it('tell who suspended it, why and until when', () => {
    const groups = groupEvents(
      history(
        [0, 'Suspended', 'suspended: valve replacement'],
        [3600, 'Idle', 'resume'],
        [3601, 'Connecting', 'start'],
        [3602, 'Connected'],
      ),
    );
    expect(groups[0]).toMatchObject({ kind: 'suspension', from: at(0), to: at(3600) });
    expect(groups[0] && reasonOf(groups[0])).toBe('valve replacement');
    expect(groups.slice(1).map(({ kind }) => kind)).toEqual(['change', 'change']);
  });

  it('never take the time without a hub for an outage or its end', () => {
    const groups = groupEvents(
      history(
        [0, 'Disconnected', 'reset'],
        [10, 'Unknown', 'hub down'],
        [50, 'Idle', 'boot'],
        [51, 'Connecting', 'start'],
      ),
    );
    expect(groups.map(({ kind, from, to }) => [kind, from, to])).toEqual([
      ['outage', at(0), at(10)],
      ['unknown', at(10), at(50)],
      ['change', at(51), at(51)],
    ]);
  });

  it('of an outage that a suspension ends stand in both places', () => {
    const groups = groupEvents(
      history([0, 'Failed', 'refused'], [30, 'Suspended', 'suspended: spare part']),
    );
    expect(groups.map(({ kind, to }) => [kind, to])).toEqual([
      ['outage', at(30)],
      ['suspension', null],
    ]);
  });
});
