import type { TFunction } from 'i18next';
import { kept } from './locale';
import { formatValue } from './value';

/** A span for people: "4 s", "3 min 20 s", "2 h 5 min", "3 d 4 h". */
export function formatSpan(ms: number, t: TFunction): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds === 0) return t('time.s', { n: 0 });
  if (seconds < 0.995) return t('time.ms', { n: Math.round(seconds * 1000) });
  if (seconds < 9.95) return t('time.s', { n: formatValue(Number(seconds.toFixed(1))) });
  const whole = Math.round(seconds);
  if (whole < 60) return t('time.s', { n: whole });
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) {
    const rest = whole % 60;
    return rest === 0 || minutes >= 10
      ? t('time.min', { m: minutes })
      : t('time.minSec', { m: minutes, s: rest });
  }
  const hours = Math.floor(minutes / 60);
  if (hours < 24) {
    const rest = minutes % 60;
    return rest === 0 ? t('time.hour', { h: hours }) : t('time.hourMin', { h: hours, m: rest });
  }
  const rest = hours % 24;
  const d = Math.floor(hours / 24);
  return rest === 0 ? t('time.day', { d }) : t('time.dayHour', { d, h: rest });
}

/** Whole seconds, for things that tick in view. */
export const formatTicking = (ms: number, t: TFunction): string =>
  formatSpan(Math.round(ms / 1000) * 1000, t);

const kClock: Intl.DateTimeFormatOptions = {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
};
const kDate: Intl.DateTimeFormatOptions = { year: 'numeric', month: 'short', day: '2-digit' };

const printer = (name: string, options: Intl.DateTimeFormatOptions) =>
  kept(name, ({ locale, times }) => {
    const utc = times === 'utc';
    const format = new Intl.DateTimeFormat(locale, utc ? { ...options, timeZone: 'UTC' } : options);
    return (at: string | number) => `${format.format(new Date(at))}${utc ? ' UTC' : ''}`;
  });

/** The time of day to the millisecond, in the zone that times are told in. */
export const formatClock = (at: string | number): string =>
  printer('clock', { ...kClock, fractionalSecondDigits: 3 })(at);

/** Date and time to the second, in the zone that times are told in. */
export const formatMoment = (at: string | number): string =>
  printer('moment', { ...kDate, ...kClock })(at);
