import type { KeyboardEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { hubNow } from '@/shared/data/clock';
import { formatMoment } from '@/shared/format';
import { type Bounds, moved, zoomed } from '../period';
import { ZoomArea } from './Bar';
import classes from './timeline.module.css';

const kTicks = [0, 0.25, 0.5, 0.75, 1];

const keys: Record<string, (bounds: Bounds, now: number) => Bounds> = {
  ArrowLeft: (bounds, now) => moved(bounds, -0.25, now),
  ArrowRight: (bounds, now) => moved(bounds, 0.25, now),
  PageUp: (bounds, now) => moved(bounds, -1, now),
  PageDown: (bounds, now) => moved(bounds, 1, now),
  '+': (bounds, now) => zoomed(bounds, 0.5, 0.5, now),
  '-': (bounds, now) => zoomed(bounds, 2, 0.5, now),
};

/** The times along the bars. It takes the focus: arrows move the period, + and − zoom. */
export function Axis({ bounds, onZoom }: { bounds: Bounds; onZoom: (bounds: Bounds) => void }) {
  const { t } = useTranslation();
  const onKeyDown = (event: KeyboardEvent) => {
    const change = event.ctrlKey || event.altKey || event.metaKey ? undefined : keys[event.key];
    if (!change) return;
    event.preventDefault();
    onZoom(change(bounds, hubNow()));
  };
  return (
    <fieldset
      className={classes.axis}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a group that takes keys; the buttons of the period do the same
      tabIndex={0}
      aria-label={t('health.axis', {
        from: formatMoment(bounds.from),
        to: formatMoment(bounds.to),
      })}
      onKeyDown={onKeyDown}
    >
      <ZoomArea bounds={bounds} onZoom={onZoom} plainWheel>
        <div className={classes.ticks} aria-hidden="true">
          {kTicks.map((share) => (
            <span key={share} className={classes.tick}>
              {formatMoment(bounds.from + share * (bounds.to - bounds.from))}
            </span>
          ))}
        </div>
      </ZoomArea>
    </fieldset>
  );
}
