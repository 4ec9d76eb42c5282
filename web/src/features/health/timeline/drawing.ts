import type { HistoryStatus } from '@/shared/data/connections';
import { statusLooks } from '@/shared/status';
import type { Bounds } from '../period';
import { bucketsOf, type Segment } from './buckets';

const kTile = 8;
const kNotch = 4;

type Cell = (x: number, y: number) => boolean;

/** Colour is never the only sign: where a status is not simply well, a pattern of the ground lies over its colour. */
const patterns: Partial<Record<HistoryStatus, Cell>> = {
  Idle: (x, y) => x % 4 === 1 && y % 4 === 1,
  Suspended: (x, y) => (x + y) % 8 < 2,
  Unknown: (x) => x % 4 < 2,
  Connecting: (_, y) => y % 4 === 0,
  Reconnecting: (x, y) => (x - y + kTile) % 8 < 2,
  Disconnected: (x, y) => (x + y) % 8 === 0 || (x - y + kTile) % 8 === 0,
  Failed: (x, y) => x % 4 < 2 && y % 4 < 2,
};

interface Palette {
  fills: Map<HistoryStatus, CanvasPattern | string>;
  notch: string;
}

// Every bar of a page is painted alike.
let newest: { key: string; palette: Palette } | undefined;

function patternOf(
  context: CanvasRenderingContext2D,
  colour: string,
  ground: string,
  cell: Cell,
  scale: number,
): CanvasPattern | string {
  const tile = document.createElement('canvas');
  tile.width = kTile * scale;
  tile.height = kTile * scale;
  const paint = tile.getContext('2d');
  if (!paint) return colour;
  paint.fillStyle = colour;
  paint.fillRect(0, 0, tile.width, tile.height);
  paint.fillStyle = ground;
  for (let x = 0; x < kTile; x += 1)
    for (let y = 0; y < kTile; y += 1)
      if (cell(x, y)) paint.fillRect(x * scale, y * scale, scale, scale);
  return context.createPattern(tile, 'repeat') ?? colour;
}

/** What each status is painted with, in the colours that the page has now. */
function paletteOf(context: CanvasRenderingContext2D, scale: number): Palette {
  const style = getComputedStyle(context.canvas);
  const ground = style.getPropertyValue('--surface').trim();
  const colours = Object.entries(statusLooks).map(([name, { tone }]) => ({
    status: name as HistoryStatus,
    colour: style.getPropertyValue(`--bar-${tone}`).trim(),
  }));
  const key = [scale, ground, ...colours.map(({ colour }) => colour)].join(' ');
  if (newest?.key === key) return newest.palette;
  const fills = new Map(
    colours.map(({ status, colour }) => {
      const cell = patterns[status];
      return [status, cell ? patternOf(context, colour, ground, cell, scale) : colour];
    }),
  );
  newest = { key, palette: { fills, notch: style.getPropertyValue('--bar-bad').trim() } };
  return newest.palette;
}

function resized(canvas: HTMLCanvasElement) {
  const scale = Math.max(1, Math.round(globalThis.devicePixelRatio || 1));
  const width = Math.max(1, Math.round(canvas.clientWidth * scale));
  const height = Math.max(1, Math.round(canvas.clientHeight * scale));
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  return context && { context, scale, width, height };
}

/** One column per pixel, each filled in proportion to the time in each status; a failure, however short, has a notch below. */
export function drawBar(canvas: HTMLCanvasElement, segments: Segment[], bounds: Bounds): void {
  const fitted = resized(canvas);
  if (!fitted) return;
  const { context, scale, width, height } = fitted;
  const { fills, notch } = paletteOf(context, scale);
  const bar = height - kNotch * scale;
  bucketsOf(segments, bounds.from, bounds.to, width).forEach((bucket, x) => {
    let y = bar;
    for (const { status, share } of bucket.parts) {
      const h = share * bar;
      context.fillStyle = fills.get(status) ?? '';
      context.fillRect(x, y - h, 1, h);
      y -= h;
    }
    if (bucket.failed) {
      context.fillStyle = notch;
      context.fillRect(x - scale, bar + scale, 2 * scale, (kNotch - 1) * scale);
    }
  });
}

/** A piece of what a status is painted with, for the legend. */
export function drawSwatch(canvas: HTMLCanvasElement, status: HistoryStatus): void {
  const fitted = resized(canvas);
  if (!fitted) return;
  const { context, scale, width, height } = fitted;
  context.fillStyle = paletteOf(context, scale).fills.get(status) ?? '';
  context.fillRect(0, 0, width, height);
}
