import { useMantineColorScheme } from '@mantine/core';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { formatMoment, formatSpan } from '@/shared/format';
import { StatusBadge, statusLooks } from '@/shared/status';
import { ui } from '@/shared/ui';
import { bucketsOf, type Segment } from './buckets';
import classes from './health.module.css';

const kNotch = 4;
const kMaxListed = 200;

function draw(canvas: HTMLCanvasElement, segments: Segment[], from: number, to: number): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  const scale = globalThis.devicePixelRatio || 1;
  const width = Math.max(1, Math.round(canvas.clientWidth * scale));
  const height = Math.round(canvas.clientHeight * scale);
  canvas.width = width;
  canvas.height = height;
  const style = getComputedStyle(canvas);
  const colour = new Map(
    Object.entries(statusLooks).map(([status, { tone }]) => [
      status,
      style.getPropertyValue(`--bar-${tone}`).trim(),
    ]),
  );
  const hatch = style.getPropertyValue('--surface').trim();
  const bar = height - kNotch * scale;
  bucketsOf(segments, from, to, width).forEach((bucket, x) => {
    let y = bar;
    for (const { status, share } of bucket.parts) {
      const h = share * bar;
      context.fillStyle = colour.get(status) ?? hatch;
      context.fillRect(x, y - h, 1, h);
      if (status === 'Unknown' && Math.floor(x / (3 * scale)) % 2 === 0) {
        context.fillStyle = hatch;
        context.fillRect(x, y - h, 1, h);
      }
      y -= h;
    }
    if (bucket.failed) {
      context.fillStyle = colour.get('Failed') ?? hatch;
      context.fillRect(x - scale, bar + scale, 2 * scale, kNotch * scale - scale);
    }
  });
}

interface TimelineProps {
  segments: Segment[];
  from: string;
  to: string;
}

/** How the connection spent a period: a canvas for the eye, and the same as a list for everybody else. */
export function Timeline({ segments, from, to }: TimelineProps) {
  const { t } = useTranslation();
  const canvas = useRef<HTMLCanvasElement>(null);
  const { colorScheme } = useMantineColorScheme({ keepTransitions: true });
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    void colorScheme; // its colours are read from the page when drawing
    const paint = () => draw(element, segments, Date.parse(from), Date.parse(to));
    paint();
    const observer = new ResizeObserver(paint);
    observer.observe(element);
    return () => observer.disconnect();
  }, [segments, from, to, colorScheme]);
  const present = [...new Set(segments.map((segment) => segment.status))];
  return (
    <figure
      className={classes.timeline}
      aria-label={t('health.timelineAria', { from: formatMoment(from), to: formatMoment(to) })}
    >
      <div aria-hidden="true">
        <canvas ref={canvas} className={classes.bar} />
      </div>
      <div className={classes.scale} aria-hidden="true">
        <span>{formatMoment(from)}</span>
        <span>{formatMoment(to)}</span>
      </div>
      <figcaption className={classes.legend}>
        {present.map((status) => (
          <span key={status} className={classes.legendItem}>
            <i
              className={classes.swatch}
              data-tone={statusLooks[status].tone}
              data-status={status}
            />
            <StatusBadge plain status={status} />
          </span>
        ))}
      </figcaption>
      <ol className={ui.hidden} aria-label={t('health.segments')}>
        {segments.slice(-kMaxListed).map((segment) => (
          <li key={`${segment.from} ${segment.status}`}>
            {t(`status.${segment.status}`)}, {formatMoment(segment.from)},{' '}
            {formatSpan(Date.parse(segment.to) - Date.parse(segment.from), t)}
          </li>
        ))}
      </ol>
    </figure>
  );
}
