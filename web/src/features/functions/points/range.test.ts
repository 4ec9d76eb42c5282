import { describe, expect, it } from 'vitest';
import { expandRanges, generate } from './range';

// The same cases as src/field/tests/range_test.cpp: both ends must mean the same by a name.
describe('names with ranges', () => {
  it.each([
    ['speed', ['speed']],
    ['Motor[1..3].Speed', ['Motor[1].Speed', 'Motor[2].Speed', 'Motor[3].Speed']],
    ['Motor{1..3}', ['Motor1', 'Motor2', 'Motor3']],
    ['p{08..11}', ['p08', 'p09', 'p10', 'p11']],
    ['t{0..90..30}', ['t0', 't30', 't60', 't90']],
    ['d{3..1}', ['d3', 'd2', 'd1']],
    ['a{1..2}b[5..6]', ['a1b[5]', 'a1b[6]', 'a2b[5]', 'a2b[6]']],
    ['array[7]', ['array[7]']],
    ['DB1.DBD{0..8..4}', ['DB1.DBD0', 'DB1.DBD4', 'DB1.DBD8']],
  ])('%s', (pattern, names) => {
    expect(expandRanges(pattern, 100)).toEqual(names);
  });

  it.each(['x[1..a]', 'x{1..5..0}', 'x[..3]', 'x{1..1234567890}'])(
    '%s is refused in its own words',
    (pattern) => {
      expect(expandRanges(pattern, 100)).toEqual({ fault: 'bad', range: pattern.slice(1) });
    },
  );

  it('stop at the limit, before they are made', () => {
    expect(expandRanges('x{1..999999999}', 10_000)).toEqual({ fault: 'tooMany' });
    expect(expandRanges('x{1..1000}y{1..1000}', 10_000)).toEqual({ fault: 'tooMany' });
  });
});

describe('points from a range', () => {
  it('count numbers up by their steps, and other ranges along with the name', () => {
    const made = generate(
      { name: 'm[1..3].v', address: 10, path: 'a/{4..6}', scale: 0.1, dataType: 'uint16' },
      { address: 2, scale: 0.1 },
      'name',
      100,
    );
    expect(made).toEqual([
      { name: 'm[1].v', address: 10, path: 'a/4', scale: 0.1, dataType: 'uint16' },
      { name: 'm[2].v', address: 12, path: 'a/5', scale: 0.2, dataType: 'uint16' },
      { name: 'm[3].v', address: 14, path: 'a/6', scale: 0.3, dataType: 'uint16' },
    ]);
  });

  it('say which text counts differently from the name', () => {
    expect(generate({ name: 'm[1..3]', path: 'a{1..2}' }, {}, 'name', 100)).toEqual({
      fault: 'uneven',
      member: 'path',
      wanted: 3,
      found: 2,
    });
  });
});
