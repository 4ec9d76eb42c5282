import { type PointerEvent, type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import { hubNow } from '@/shared/data/clock';
import { type Bounds, marked, zoomed } from '../period';
import type { Segment } from './buckets';
import { drawBar } from './drawing';
import classes from './timeline.module.css';
import { usePainted } from './use-painted';

const kLeastMark = 4;
const kPerNotch = 0.0015;

interface ZoomAreaProps {
  bounds: Bounds;
  onZoom: (bounds: Bounds) => void;
  /** The wheel zooms as it is; otherwise it scrolls the page, and zooms with Ctrl. */
  plainWheel?: boolean;
  children: ReactNode;
}

/** Marks a part of the period by dragging, and zooms around the pointer by the wheel. The keyboard has the time axis. */
export function ZoomArea({ bounds, onZoom, plainWheel, children }: ZoomAreaProps) {
  const area = useRef<HTMLDivElement>(null);
  const [mark, setMark] = useState<{ a: number; b: number } | null>(null);
  const latest = useRef({ bounds, onZoom });
  useEffect(() => {
    latest.current = { bounds, onZoom };
  });
  const placeOf = (clientX: number): number => {
    const box = area.current?.getBoundingClientRect();
    return box && box.width > 0 ? (clientX - box.left) / box.width : 0;
  };
  useEffect(() => {
    const element = area.current;
    if (!element) return;
    // React listens passively to the wheel, and then the page would scroll as well.
    const onWheel = (event: WheelEvent) => {
      if (!plainWheel && !event.ctrlKey) return;
      event.preventDefault();
      const box = element.getBoundingClientRect();
      const { bounds: now, onZoom: zoom } = latest.current;
      const factor = Math.exp(Math.max(-400, Math.min(400, event.deltaY)) * kPerNotch);
      zoom(zoomed(now, factor, (event.clientX - box.left) / box.width, hubNow()));
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [plainWheel]);

  const begin = (event: PointerEvent<HTMLDivElement>) => {
    // A finger scrolls the page.
    if (event.button !== 0 || event.pointerType === 'touch') return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const place = placeOf(event.clientX);
    setMark({ a: place, b: place });
  };
  const finish = () => {
    setMark(null);
    const width = area.current?.clientWidth ?? 0;
    if (mark && Math.abs(mark.a - mark.b) * width >= kLeastMark)
      onZoom(marked(bounds, mark.a, mark.b));
  };
  return (
    <div
      ref={area}
      className={classes.area}
      onPointerDown={begin}
      onPointerMove={(event) => mark && setMark({ ...mark, b: placeOf(event.clientX) })}
      onPointerUp={finish}
      onPointerCancel={() => setMark(null)}
    >
      {children}
      {mark && (
        <div
          className={classes.mark}
          style={{
            left: `${Math.min(mark.a, mark.b) * 100}%`,
            width: `${Math.abs(mark.a - mark.b) * 100}%`,
          }}
        />
      )}
    </div>
  );
}

interface BarProps {
  segments: Segment[];
  bounds: Bounds;
  onZoom: (bounds: Bounds) => void;
  thin?: boolean;
}

/** How a connection spent the period, for the eye; whoever shows it writes the same in words beside it. */
export function Bar({ segments, bounds, onZoom, thin }: BarProps) {
  const { from, to } = bounds;
  const canvas = usePainted(
    useCallback(
      (element: HTMLCanvasElement) => drawBar(element, segments, { from, to }),
      [segments, from, to],
    ),
  );
  return (
    <ZoomArea bounds={bounds} onZoom={onZoom}>
      <div aria-hidden="true">
        <canvas ref={canvas} className={thin ? classes.thin : classes.bar} />
      </div>
    </ZoomArea>
  );
}
