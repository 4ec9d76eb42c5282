import { useMantineColorScheme } from '@mantine/core';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { hubNow } from '@/shared/data/clock';
import { formatClock, formatValue } from '@/shared/format';
import { type FunctionSeries, windowOf } from '@/shared/values';
import classes from './values.module.css';

interface ChartProps {
  series: FunctionSeries;
  point: string;
  windowMs: number;
  live: boolean;
  label: string;
  onReadout: (text: string) => void;
}

const kRedrawMs = 250;

function colours() {
  const style = getComputedStyle(document.documentElement);
  const dark = document.documentElement.dataset.mantineColorScheme === 'dark';
  const read = (name: string) => style.getPropertyValue(name).trim();
  const line = read(dark ? '--mantine-color-river-4' : '--mantine-color-river-7');
  return {
    line,
    fill: `${line}22`,
    grid: read(dark ? '--mantine-color-dark-5' : '--mantine-color-gray-2'),
    text: read('--text-dim'),
  };
}

/** A range that leaves air above and below, also around a line that does not move. */
export function rangeOf(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  const span = high - low || Math.max(1, Math.abs(high) * 0.1);
  return [low - span * 0.1, high + span * 0.1];
}

/** Of the value axis, in pixels: as wide as its longest number, and never so narrow that every new digit moves the line. */
function widthOf(labels: string[]): number {
  return Math.max(62, 22 + 8 * Math.max(...labels.map((label) => label.length)));
}

function options(width: number, height: number, onReadout: (text: string) => void): uPlot.Options {
  const { line, fill, grid, text } = colours();
  const axis = {
    stroke: text,
    grid: { stroke: grid, width: 1 },
    ticks: { stroke: grid, width: 1 },
  };
  return {
    width,
    height,
    ms: 1,
    // The last time stands under the right edge: half of it needs room.
    padding: [10, 32, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: { x: { time: true }, y: { range: (_, low, high) => rangeOf(low, high) } },
    axes: [
      {
        ...axis,
        space: 70,
        values: (_, ticks) => ticks.map((tick) => formatClock(tick).slice(0, 8)),
      },
      {
        ...axis,
        size: (_, labels) => widthOf(labels ?? []),
        values: (_, ticks) => ticks.map((tick) => formatValue(tick)),
      },
    ],
    series: [
      {},
      {
        stroke: line,
        fill,
        width: 1.75,
        points: { show: false },
        ...(uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
      },
    ],
    hooks: {
      setCursor: [
        (plot) => {
          const index = plot.cursor.idx;
          const time = index === null || index === undefined ? undefined : plot.data[0][index];
          const value = index === null || index === undefined ? undefined : plot.data[1]?.[index];
          onReadout(time === undefined ? '' : `${formatClock(time)}   ${formatValue(value)}`);
        },
      ],
    },
  };
}

/** The line of one point, moving with the hub's clock. A module of its own: it is loaded when first needed. */
export default function Chart({ series, point, windowMs, live, label, onReadout }: ChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  const { colorScheme } = useMantineColorScheme({ keepTransitions: true });
  const latest = useRef({ live, onReadout });
  useEffect(() => {
    latest.current = { live, onReadout };
  });

  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    void colorScheme; // a new scheme means new colours, so the plot is made anew
    const size = () => ({ width: element.clientWidth || 300, height: element.clientHeight || 200 });
    const { width, height } = size();
    const plot = new uPlot(
      options(width, height, (text) => latest.current.onReadout(text)),
      [[], []],
      element,
    );
    const draw = () => {
      const now = hubNow();
      const found = series.find(point);
      const { times, values } = found
        ? windowOf(found, now, windowMs, latest.current.live)
        : { times: [], values: [] };
      plot.batch(() => {
        plot.setData([times, values], false);
        plot.setScale('x', { min: now - windowMs, max: now });
      });
      element.dataset.samples = String(values.filter((value) => value !== null).length);
    };
    draw();
    const timer = setInterval(draw, kRedrawMs);
    const observer = new ResizeObserver(() => plot.setSize(size()));
    observer.observe(element);
    return () => {
      clearInterval(timer);
      observer.disconnect();
      plot.destroy();
    };
  }, [series, point, windowMs, colorScheme]);

  return (
    <div ref={frame} className={classes.chart} role="img" aria-label={label} data-testid="chart" />
  );
}
