import { useTranslation } from 'react-i18next';
import { StatusBadge, statusOrder } from '@/shared/status';
import { Panel, ui } from '@/shared/ui';
import type { SystemHealth } from '../data';
import { Figures } from '../Figures';
import classes from '../health.module.css';
import type { ChosenFilters } from './use-filters';

/** How many connections are in each status now, and the figures of all of them together. */
export function Totals({ health, chosen }: { health: SystemHealth; chosen: ChosenFilters }) {
  const { t } = useTranslation();
  // Which connections flap is told by the board.
  const { totals, flapping: _, ...figures } = health;
  return (
    <Panel title={t('health.totals', { count: health.connections })}>
      <div className={classes.column}>
        <fieldset className={ui.filters} aria-label={t('common.status')}>
          {statusOrder
            .filter((status) => status !== 'Unknown' && totals[status] > 0)
            .map((status) => (
              <button
                key={status}
                type="button"
                className={ui.filter}
                aria-pressed={chosen.status === status}
                onClick={() => chosen.set('status', chosen.status === status ? null : status)}
              >
                <StatusBadge plain status={status} />
                <b>{status === 'Unknown' ? 0 : totals[status]}</b>
              </button>
            ))}
        </fieldset>
        <Figures figures={figures} />
      </div>
    </Panel>
  );
}
