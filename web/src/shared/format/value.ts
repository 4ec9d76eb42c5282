const number = new Intl.NumberFormat('en', { maximumSignificantDigits: 7, useGrouping: true });
const count = new Intl.NumberFormat('en');
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** A value for a table cell. Numbers keep seven digits: what a float32 holds. */
export function formatValue(value: unknown): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'number') {
    if (value !== 0 && (Math.abs(value) >= 1e15 || Math.abs(value) < 1e-4))
      return value.toExponential(5);
    return (Number.isInteger(value) ? count : number).format(value).replaceAll(',', '\u202f');
  }
  if (typeof value === 'string') return value;
  return JSON.stringify(value);
}

export const formatCount = (value: number): string =>
  value < 100_000 ? count.format(value).replaceAll(',', '\u202f') : compact.format(value);

export const formatPercent = (value: number): string =>
  // Never round up to a perfect score.
  `${(Math.floor(value * 1000) / 1000).toFixed(value === 100 ? 0 : value >= 99 ? 3 : 2)} %`;
