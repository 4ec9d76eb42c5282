import { describe, expect, it } from 'vitest';
import type { Schemas } from '@/shared/api';
import { curvesOf } from './curves';

const answer = (data: Schemas['FunctionData'], second = 0): Schemas['ExecuteResult'] => ({
  success: true,
  functionId: 'f1',
  durationMs: 1,
  timestamp: `2026-11-22T10:00:0${second}Z`,
  data,
});
const sample = (value: unknown, quality: Schemas['Quality'] = 'good') => ({
  point: 'speed',
  value,
  quality,
  sourceTime: null,
  receiveTime: '2026-11-22T10:00:00Z',
});

describe('what of an answer can be drawn', () => {
  it('is a line for each point of a history, over the times of all, with gaps where the quality is bad', () => {
    const at = (second: number) => `2026-11-22T10:00:0${second}Z`;
    const value = (point: string, second: number, number: number, quality = 'good') => ({
      point,
      nodeId: 'i=1',
      value: number,
      quality,
      sourceTime: at(second),
      serverTime: at(9),
    });
    const records = [
      value('speed', 2, 30),
      value('speed', 0, 10),
      value('level', 1, 5),
      value('level', 2, 7, 'bad'),
      { point: 'gone', nodeId: 'i=2', error: { message: 'No such node.' } },
    ];
    expect(curvesOf([answer({ records })])).toEqual({
      x: [0, 1, 2].map((second) => Date.parse(at(second))),
      time: true,
      lines: [
        { name: 'speed', values: [10, undefined, 30] },
        { name: 'level', values: [undefined, 5, null] },
      ],
    });
  });

  it('is the numbers of records over their times', () => {
    const records = [
      { at: '2026-11-22T10:00:00Z', line: 'A', level: 1 },
      { at: '2026-11-22T10:00:01Z', line: 'A', level: 2 },
    ];
    expect(curvesOf([answer({ records })])).toEqual({
      x: [Date.parse('2026-11-22T10:00:00Z'), Date.parse('2026-11-22T10:00:01Z')],
      time: true,
      lines: [{ name: 'level', values: [1, 2] }],
    });
  });

  it('is over the rows where no column of times goes up', () => {
    const records = [
      { at: '2026-11-22T10:00:01Z', level: 1 },
      { at: '2026-11-22T10:00:00Z', level: null },
    ];
    expect(curvesOf([answer({ records })])).toMatchObject({
      x: [1, 2],
      time: false,
      lines: [{ name: 'level', values: [1, null] }],
    });
  });

  it('is a line through several calls of points, with a gap where one was bad', () => {
    const results = [
      answer({ samples: [sample(1)] }, 0),
      answer({ samples: [sample(7, 'bad')] }, 1),
      answer({ samples: [sample(3)] }, 2),
    ];
    expect(curvesOf(results)?.lines).toEqual([{ name: 'speed', values: [1, null, 3] }]);
  });

  it('is nothing for a single moment, and for texts', () => {
    expect(curvesOf([answer({ samples: [sample(1)] })])).toBeNull();
    expect(curvesOf([answer({ records: [{ a: 'x' }, { a: 'y' }] })])).toBeNull();
  });
});
