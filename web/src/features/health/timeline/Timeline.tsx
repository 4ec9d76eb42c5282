import { useTranslation } from 'react-i18next';
import { formatMoment, formatSpan } from '@/shared/format';
import { ui } from '@/shared/ui';
import type { Bounds } from '../period';
import { Axis } from './Axis';
import { Bar } from './Bar';
import type { Segment } from './buckets';
import { Legend } from './Legend';
import classes from './timeline.module.css';

const kMaxListed = 200;

interface TimelineProps {
  segments: Segment[];
  bounds: Bounds;
  onZoom: (bounds: Bounds) => void;
}

/** How one connection spent a period: a canvas for the eye, and the same as a list for everybody else. */
export function Timeline({ segments, bounds, onZoom }: TimelineProps) {
  const { t } = useTranslation();
  const present = [...new Set(segments.map((segment) => segment.status))];
  return (
    <figure
      className={classes.timeline}
      aria-label={t('health.timelineAria', {
        from: formatMoment(bounds.from),
        to: formatMoment(bounds.to),
      })}
    >
      <Bar segments={segments} bounds={bounds} onZoom={onZoom} />
      <Axis bounds={bounds} onZoom={onZoom} />
      <figcaption>
        <Legend statuses={present} />
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
