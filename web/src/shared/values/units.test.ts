import { describe, expect, it } from 'vitest';
import { unitsOf } from './units';

describe('unitsOf', () => {
  const unitOf = unitsOf({
    points: [
      { name: 'speed', unit: '1/min' },
      { name: 'Motor[1..40].Speed', unit: 'm/s' },
      { name: 'p{01..12}', unit: 'bar' },
      { name: 'plain' },
    ],
  });

  it('finds the unit of a point, also of one that a range stands for', () => {
    expect(unitOf('speed')).toBe('1/min');
    expect(unitOf('Motor[17].Speed')).toBe('m/s');
    expect(unitOf('p07')).toBe('bar');
  });

  it('gives none to others', () => {
    expect(unitOf('plain')).toBe('');
    expect(unitOf('Motor[x].Speed')).toBe('');
    expect(unitOf('MotorX1].Speed')).toBe('');
    expect(unitsOf({ topics: [] })('speed')).toBe('');
  });
});
