import { kept } from './locale';

type Print = (value: number) => string;

/** Digits grouped by a narrow space, which no language takes for a decimal mark. */
const printer = (name: string, options: Intl.NumberFormatOptions): Print =>
  kept(name, ({ locale }) => {
    const format = new Intl.NumberFormat(locale, options);
    const group = format.formatToParts(1234567).find((part) => part.type === 'group')?.value;
    return (value) =>
      group ? format.format(value).replaceAll(group, '\u202f') : format.format(value);
  });

const number: Print = (value) => printer('number', { maximumSignificantDigits: 7 })(value);
const whole: Print = (value) => printer('whole', {})(value);
const compact: Print = (value) =>
  printer('compact', { notation: 'compact', maximumFractionDigits: 1 })(value);

/** A value for a table cell. Numbers keep seven digits: what a float32 holds. */
export function formatValue(value: unknown): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'number') {
    if (value !== 0 && (Math.abs(value) >= 1e15 || Math.abs(value) < 1e-4))
      return value.toExponential(5);
    return Number.isInteger(value) ? whole(value) : number(value);
  }
  if (typeof value === 'string') return value;
  return JSON.stringify(value);
}

export const formatCount = (value: number): string =>
  value < 100_000 ? whole(value) : compact(value);

export function formatPercent(value: number): string {
  const digits = value === 100 ? 0 : value >= 99 ? 3 : 2;
  const print = printer(`percent${digits}`, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  // Never round up to a perfect score.
  return `${print(Math.floor(value * 1000) / 1000)} %`;
}
