import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Sample } from '@/shared/data/functions';
import { cellsOf } from './RecordTable';
import { samplesOf } from './records';
import { sparkPath } from './Sparkline';
import { FunctionSeries, kKeepMs, kMaxRecords, statistics, windowOf } from './series';

const start = Date.parse('2026-11-22T10:00:00Z');
const at = (seconds: number) => start + seconds * 1000;

function sample(value: unknown, seconds: number, quality: Sample['quality'] = 'good'): Sample {
  return {
    point: 'speed',
    value,
    quality,
    sourceTime: null,
    receiveTime: new Date(at(seconds)).toISOString(),
  };
}

beforeEach(() => {
  vi.useFakeTimers({ now: start });
  return () => vi.useRealTimers();
});

function fed(...samples: Sample[]): FunctionSeries {
  const series = new FunctionSeries();
  series.snapshot(samples.slice(0, 1));
  for (const one of samples.slice(1)) series.delta([one]);
  return series;
}

const point = (series: FunctionSeries) => {
  const found = series.find('speed');
  if (!found) throw new Error('speed is missing');
  return found;
};

describe('the series of a function', () => {
  it('tells its listeners at most five times a second', () => {
    const series = new FunctionSeries();
    const told = vi.fn();
    series.listen(told);
    series.snapshot([sample(1, 0)]);
    for (let i = 1; i < 20; i += 1) series.delta([sample(i, i / 100)]);
    vi.advanceTimersByTime(199);
    expect(told).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(told).toHaveBeenCalledOnce();
    expect(series.points.map((one) => one.sample.value)).toEqual([19]);
  });

  it('holds a good value until now, because a report of changes is silent while nothing changes', () => {
    const series = fed(sample(10, 0), sample(20, 5));
    expect(windowOf(point(series), at(30), 60_000, true)).toEqual({
      times: [at(0), at(5), at(30)],
      values: [10, 20, 20],
    });
  });

  it('does not hold a value while the hub is silent', () => {
    const series = fed(sample(10, 0), sample(20, 5));
    expect(windowOf(point(series), at(30), 60_000, false).times.at(-1)).toBe(at(5));
  });

  it('ends the line where the quality turns bad, at the value it had', () => {
    const series = fed(sample(10, 0), sample(null, 4, 'bad'));
    expect(windowOf(point(series), at(30), 60_000, true)).toEqual({
      times: [at(0), at(4), at(4) + 1],
      values: [10, 10, null],
    });
  });

  it('ends every line when the live line is lost, and goes on after the next snapshot', () => {
    const series = fed(sample(10, 0));
    series.lose();
    expect(series.stale).toBe(true);
    series.snapshot([sample(30, 20)]);
    expect(series.stale).toBe(false);
    expect(point(series).values).toEqual([10, null, 30]);
  });

  it('starts a window with the value from before it', () => {
    const series = fed(sample(10, 0), sample(20, 100));
    expect(windowOf(point(series), at(130), 60_000, true)).toEqual({
      times: [at(70), at(100), at(130)],
      values: [10, 20, 20],
    });
  });

  it('forgets what is older than the longest window', () => {
    const series = fed(sample(0, 0));
    for (let i = 1; i <= 2000; i += 1) series.delta([sample(i, i)]);
    const { times } = point(series);
    expect(times.length).toBeLessThan(600);
    expect(times[0]).toBeLessThanOrEqual(at(2000) - kKeepMs);
  });

  it('drops points that the next snapshot does not name', () => {
    const series = fed(sample(1, 0));
    series.snapshot([{ ...sample(2, 1), point: 'level' }]);
    expect(series.find('speed')).toBeUndefined();
  });

  it('weights the mean by time and leaves gaps out', () => {
    expect(statistics({ times: [0, 10, 40, 50, 60], values: [100, 10, 10, null, 50] })).toEqual({
      min: 10,
      max: 100,
      mean: 32.5,
    });
    expect(statistics({ times: [0], values: [null] })).toBeNull();
  });

  it('draws a sparkline in steps and lifts the pen over gaps', () => {
    const series = fed(sample(0, 0), sample(10, 20), sample(null, 30, 'bad'), sample(5, 40));
    expect(sparkPath(point(series), at(60), true)).toBe(
      'M0.0 20.0H40.0V2.0H60.0V2.0M80.0 11.0H120.0V11.0',
    );
  });
});

describe('records as points', () => {
  it('takes every member of a record, with what $meta says of it', () => {
    const time = '2026-11-22T10:00:00.200Z';
    const found = samplesOf([
      {
        speed: 1480,
        temperature: null,
        $meta: { time, points: { temperature: { quality: 'bad', code: 'BadCommunicationError' } } },
      },
    ]);
    expect(found).toEqual([
      { point: 'speed', value: 1480, quality: 'good', sourceTime: time, receiveTime: time },
      {
        point: 'temperature',
        value: null,
        quality: 'bad',
        code: 'BadCommunicationError',
        sourceTime: time,
        receiveTime: time,
      },
    ]);
  });

  it('names messages of a broker after their topic', () => {
    const found = samplesOf([
      {
        topic: 'plant/3',
        payload: { speed: 5, drive: { amps: 2 } },
        $meta: { time: '2026-11-22T10:00:00Z' },
      },
      { topic: 'plant/4', payload: 'on', $meta: { time: '2026-11-22T10:00:00Z' } },
    ]);
    expect(found.map((one) => [one.point, one.value])).toEqual([
      ['plant/3.speed', 5],
      ['plant/3.drive.amps', 2],
      ['plant/4', 'on'],
    ]);
  });
});

describe('records that are no points', () => {
  it('stay to be read, the newest first, within a bound', () => {
    const series = new FunctionSeries();
    series.remember([{ kind: 'event', message: 'first' }]);
    const more = Array.from({ length: kMaxRecords }, (_, place) => ({ message: `more ${place}` }));
    series.remember(more);
    expect(series.records).toHaveLength(kMaxRecords);
    expect(series.records[0]).toEqual({
      number: kMaxRecords + 1,
      record: { message: `more ${kMaxRecords - 1}` },
    });
    expect(series.records.at(-1)?.record).toEqual({ message: 'more 0' });
  });

  it('are told member by member, and what the hub adds is left out', () => {
    const record = {
      message: 'Level is high',
      condition: { conditionId: 's=Tank', active: true },
      $meta: { time: '2026-11-22T10:00:00Z' },
    };
    expect([...cellsOf(record)]).toEqual([
      ['message', 'Level is high'],
      ['condition.conditionId', 's=Tank'],
      ['condition.active', true],
    ]);
  });
});
