import { describe, expect, it } from 'vitest';
import { i18n } from '@/shared/i18n';
import { formatPercent, formatSpan, formatTicking, formatValue } from '.';

describe('spans', () => {
  it.each([
    [0, '0 s'],
    [3.4, '3 ms'],
    [1500, '1.5 s'],
    [42_000, '42 s'],
    [200_000, '3 min 20 s'],
    [3_600_000, '1 h'],
    [7_500_000, '2 h 5 min'],
    [97_200_000, '1 d 3 h'],
  ])('%d ms reads "%s"', (ms, text) => {
    expect(formatSpan(ms, i18n.t)).toBe(text);
  });

  it('tick in whole seconds', () => {
    expect(formatTicking(1400, i18n.t)).toBe('1 s');
    expect(formatTicking(300, i18n.t)).toBe('0 s');
  });
});

describe('values', () => {
  it('keep the digits of a float32 and group thousands', () => {
    expect(formatValue(21.533333333)).toBe('21.53333');
    expect(formatValue(1234567)).toBe('1\u202f234\u202f567');
    expect(formatValue(false)).toBe('false');
    expect(formatValue(null)).toBe('–');
  });

  it('never round an uptime up to perfect', () => {
    expect(formatPercent(99.99999)).toBe('99.999 %');
    expect(formatPercent(100)).toBe('100 %');
  });
});
