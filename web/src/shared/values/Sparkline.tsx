import { memo } from 'react';
import { type PointSeries, windowOf } from './series';
import classes from './values.module.css';

const kWidth = 120;
const kHeight = 22;
const kWindowMs = 60_000;

/** The step path of the last minute; empty when there is nothing to draw. */
export function sparkPath(point: PointSeries, now: number, live: boolean): string {
  const { times, values } = windowOf(point, now, kWindowMs, live);
  const known = values.filter((value): value is number => value !== null);
  if (known.length === 0) return '';
  const low = Math.min(...known);
  const span = Math.max(...known) - low || 1;
  const x = (time: number) => (((time - now + kWindowMs) / kWindowMs) * kWidth).toFixed(1);
  const y = (value: number) => (kHeight - 2 - ((value - low) / span) * (kHeight - 4)).toFixed(1);
  let path = '';
  let drawing = false;
  values.forEach((value, index) => {
    const time = times[index] ?? now;
    if (value === null) drawing = false;
    else if (drawing) path += `H${x(time)}V${y(value)}`;
    else {
      path += `M${x(time)} ${y(value)}`;
      drawing = true;
    }
  });
  return path;
}

/** A minute of a point at a glance. The table beside it says the same in numbers, so it is hidden from readers. */
export const Sparkline = memo(function Sparkline({ path }: { path: string }) {
  return (
    <svg
      className={classes.spark}
      viewBox={`0 0 ${kWidth} ${kHeight}`}
      width={kWidth}
      height={kHeight}
      aria-hidden="true"
    >
      <path d={path} fill="none" stroke="currentColor" strokeWidth="1.25" />
    </svg>
  );
});
