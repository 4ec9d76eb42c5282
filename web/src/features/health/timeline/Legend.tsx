import { useCallback } from 'react';
import type { HistoryStatus } from '@/shared/data/connections';
import { StatusBadge } from '@/shared/status';
import { drawSwatch } from './drawing';
import classes from './timeline.module.css';
import { usePainted } from './use-painted';

function Swatch({ status }: { status: HistoryStatus }) {
  const canvas = usePainted(
    useCallback((element: HTMLCanvasElement) => drawSwatch(element, status), [status]),
  );
  return (
    <span aria-hidden="true">
      <canvas ref={canvas} className={classes.swatch} />
    </span>
  );
}

/** What the colours and patterns of the bars mean. */
export function Legend({ statuses }: { statuses: readonly HistoryStatus[] }) {
  return (
    <div className={classes.legend}>
      {statuses.map((status) => (
        <span key={status} className={classes.legendItem}>
          <Swatch status={status} />
          <StatusBadge plain status={status} />
        </span>
      ))}
    </div>
  );
}
