import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import { formatCount, formatSpan } from '@/shared/format';
import { Panel } from '@/shared/ui';
import type { Summary, SystemHealth } from '../data';
import classes from '../health.module.css';

const kShown = 5;

/** The worst first, in the three ways in which a connection can be bad. */
export function FailureBoard({ health }: { health: SystemHealth }) {
  const { t } = useTranslation();
  const [params] = useSearchParams();
  const boards: [
    name: 'failures' | 'downtime' | 'flapping',
    Summary[],
    (one: Summary) => string,
  ][] = [
    ['failures', health.mostFailures, (one) => formatCount(one.failureCount)],
    ['downtime', health.mostDowntime, (one) => formatSpan(one.downSeconds * 1000, t)],
    [
      'flapping',
      health.flapping,
      (one) => t('health.changesPerHour', { count: one.flapping.changesPerHour }),
    ],
  ];
  const period = new URLSearchParams(
    [...params].filter(([name]) => ['last', 'from', 'to'].includes(name)),
  );
  return (
    <Panel title={t('health.board')}>
      <div className={classes.boards}>
        {boards.map(([name, all, figure]) => {
          const bad = all.filter((one) =>
            name === 'failures' ? one.failureCount > 0 : name === 'flapping' || one.downSeconds > 0,
          );
          return (
            <section key={name} aria-label={t(`health.worst.${name}`)}>
              <h3 className={classes.boardTitle}>{t(`health.worst.${name}`)}</h3>
              {bad.length === 0 && <p className={classes.quiet}>{t('health.nobody')}</p>}
              <ol className={classes.board}>
                {bad.slice(0, kShown).map((one) => (
                  <li key={one.id}>
                    <Link to={`/connections/${one.id}/health?${period}`}>{one.name}</Link>
                    <span>{figure(one)}</span>
                  </li>
                ))}
              </ol>
            </section>
          );
        })}
      </div>
    </Panel>
  );
}
