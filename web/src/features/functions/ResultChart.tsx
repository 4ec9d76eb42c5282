import { useMantineColorScheme } from '@mantine/core';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { formatClock, formatValue } from '@/shared/format';
import type { Curves } from './curves';
import classes from './functions.module.css';

// Told apart in both themes, also by people who see colours differently; the dashes tell them apart without colour.
const kColours = [
  '#1c7ea0',
  '#c2571a',
  '#4c8a2b',
  '#8a4fb3',
  '#b8860b',
  '#c2255c',
  '#2f6fd0',
  '#6b7280',
];
const kDashes = [[], [8, 4], [2, 3], [12, 3, 2, 3]];

function optionsOf({ time, lines }: Curves, width: number, height: number): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const axis = {
    stroke: style.getPropertyValue('--text-dim').trim(),
    grid: { stroke: style.getPropertyValue('--line').trim(), width: 1 },
  };
  return {
    width,
    height,
    ms: 1,
    scales: { x: { time } },
    axes: [
      time
        ? { ...axis, space: 80, values: (_, ticks) => ticks.map((at) => formatClock(at)) }
        : axis,
      { ...axis, size: 62, values: (_, ticks) => ticks.map((tick) => formatValue(tick)) },
    ],
    series: [
      { value: (_, at) => (at === null ? '–' : time ? formatClock(at) : String(at)) },
      ...lines.map(({ name }, index) => ({
        label: name,
        stroke: kColours[index % kColours.length] ?? '',
        dash: kDashes[Math.floor(index / 2) % kDashes.length] ?? [],
        width: 2,
        value: (_: uPlot, value: number | null) => formatValue(value),
      })),
    ],
  };
}

/** An answer as lines. A module of its own, loaded when first wanted; the table says the same in numbers. */
export default function ResultChart({ curves, label }: { curves: Curves; label: string }) {
  const frame = useRef<HTMLDivElement>(null);
  const { colorScheme } = useMantineColorScheme({ keepTransitions: true });
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    void colorScheme; // a new scheme means new colours, so the plot is made anew
    const width = element.clientWidth || 600;
    const plot = new uPlot(
      optionsOf(curves, width, 260),
      [curves.x, ...curves.lines.map(({ values }) => values)],
      element,
    );
    const observer = new ResizeObserver(() =>
      plot.setSize({ width: element.clientWidth || width, height: 260 }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [curves, colorScheme]);
  return (
    <div
      ref={frame}
      className={classes.chart}
      role="img"
      aria-label={label}
      data-testid="result-chart"
    />
  );
}
