import { describe, expect, it } from 'vitest';
import type { HistoryStatus } from '@/shared/data/connections';
import { bucketsOf, type Segment } from './buckets';

const segment = (from: number, to: number, status: HistoryStatus): Segment => ({
  from: new Date(from).toISOString(),
  to: new Date(to).toISOString(),
  status,
});

describe('the columns of the timeline', () => {
  it('fill in proportion to the time in each status', () => {
    const [first, second] = bucketsOf(
      [segment(0, 150, 'Connected'), segment(150, 200, 'Suspended')],
      0,
      200,
      2,
    );
    expect(first?.parts).toEqual([{ status: 'Connected', share: 1 }]);
    expect(second?.parts).toEqual([
      { status: 'Connected', share: 0.5 },
      { status: 'Suspended', share: 0.5 },
    ]);
  });

  it('neither lose a short dip nor paint the column red with it', () => {
    const day = 86_400_000;
    const dip = [
      segment(0, 1_000_000, 'Connected'),
      segment(1_000_000, 1_120_000, 'Failed'),
      segment(1_120_000, day, 'Connected'),
    ];
    const [only] = bucketsOf(dip, 0, day, 1);
    expect(only?.failed).toBe(true);
    expect(only?.parts.find((part) => part.status === 'Failed')?.share).toBeCloseTo(120_000 / day);
  });

  it('mark a failure that lasted no time at all', () => {
    const [only] = bucketsOf([segment(5, 5, 'Disconnected')], 0, 10, 1);
    expect(only?.failed).toBe(true);
  });

  it('keep the time that nobody knows apart from green', () => {
    const [only] = bucketsOf([segment(0, 10, 'Unknown')], 0, 10, 1);
    expect(only).toEqual({ parts: [{ status: 'Unknown', share: 1 }], failed: false });
  });

  it('ignore what lies outside the period', () => {
    const [only] = bucketsOf([segment(-50, 5, 'Connected'), segment(20, 30, 'Failed')], 0, 10, 1);
    expect(only).toEqual({ parts: [{ status: 'Connected', share: 0.5 }], failed: false });
  });
});
