import { describe, expect, it } from 'vitest';
import { boundsOf, marked, moved, periodFrom, putInto, refreshMsOf, zoomed } from './period';

const now = Date.parse('2026-11-22T12:00:00Z');
const hour = 3_600_000;
const day = { from: now - 24 * hour, to: now };

describe('the period', () => {
  it('is kept in the address and read from it', () => {
    const params = new URLSearchParams('type=modbus&last=d7');
    expect(periodFrom(params)).toEqual({ last: 'd7' });
    putInto(params, day);
    expect(periodFrom(params)).toEqual(day);
    expect(params.get('type')).toBe('modbus');
    expect(params.has('last')).toBe(false);
  });

  it.each(['', 'last=y1', 'from=2026-01-02&to=2026-01-01', 'from=x&to=y'])(
    'is the last day when the address says "%s"',
    (text) => {
      expect(periodFrom(new URLSearchParams(text))).toEqual({ last: 'd1' });
    },
  );

  it('moves with the clock only when it ends now', () => {
    expect(boundsOf({ last: 'h1' }, now)).toEqual({ from: now - hour, to: now });
    expect(boundsOf(day, now + hour)).toEqual(day);
    expect(refreshMsOf({ last: 'h1' })).toBe(15_000);
    expect(refreshMsOf(day)).toBe(false);
  });

  it('zooms around a place and stays within limits', () => {
    const past = { from: now - 20 * hour, to: now - 10 * hour };
    expect(zoomed(past, 0.5, 0.5, now)).toEqual({
      from: now - 17.5 * hour,
      to: now - 12.5 * hour,
    });
    expect(zoomed(past, 0.5, 0, now).from).toBe(past.from);
    expect(zoomed(past, 1e-9, 0.5, now).to - zoomed(past, 1e-9, 0.5, now).from).toBe(10_000);
    expect(zoomed(past, 1e9, 0.5, now).to).toBe(now);
  });

  it('never reaches into the future', () => {
    expect(moved(day, 0.5, now)).toEqual(day);
    expect(moved(day, -0.5, now)).toEqual({ from: now - 36 * hour, to: now - 12 * hour });
    expect(zoomed(day, 2, 0.5, now)).toEqual({ from: now - 48 * hour, to: now });
  });

  it('is marked in either direction, and a mark of no width is made wide enough', () => {
    const half = { from: now - 18 * hour, to: now - 6 * hour };
    expect(marked(day, 0.25, 0.75)).toEqual(half);
    expect(marked(day, 0.75, 0.25)).toEqual(half);
    const point = marked(day, 0.5, 0.5);
    expect(point.to - point.from).toBe(10_000);
  });
});
