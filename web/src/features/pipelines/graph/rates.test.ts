import { describe, expect, it } from 'vitest';
import type { Schemas } from '@/shared/api';
import { RateMeter, Throughput } from './rates';

const run = (id: string, recordsIn: number): Schemas['Run'] => ({
  id,
  pipelineId: 'p1',
  status: 'running',
  trigger: 't',
  startedAt: '2026-11-26T07:00:00Z',
  endedAt: null,
  recordsIn,
  recordsOut: recordsIn,
  errors: 0,
  detail: { nodes: [{ nodeId: 't', recordsIn, recordsOut: recordsIn, errors: 0 }] } as never,
});

describe('rates', () => {
  it('are the slope of the last ten seconds', () => {
    const meter = new RateMeter();
    expect(meter.rate('a', 0)).toBeNull();
    for (let second = 0; second <= 30; second += 1)
      meter.observe('a', second < 20 ? 0 : (second - 20) * 50, second * 1000);
    expect(meter.rate('a', 30_000)).toBeCloseTo(50, 0);
    expect(meter.rate('a', 60_000)).toBe(0);
  });

  it('begin anew when a counter falls: the hub was started again', () => {
    const meter = new RateMeter();
    meter.observe('a', 1000, 0);
    meter.observe('a', 5, 1000);
    expect(meter.rate('a', 1000)).toBeNull();
    meter.observe('a', 15, 2000);
    expect(meter.rate('a', 2000)).toBe(10);
  });

  it('count a run by what it has grown, and none from before', () => {
    const throughput = new Throughput();
    throughput.observe(run('old', 500), 0, true);
    throughput.observe(run('r1', 10), 1000);
    throughput.observe(run('r1', 30), 2000);
    throughput.observe(run('r2', 10), 4000);
    expect(throughput.rate('t', 4000)).toBe(10);
  });
});
