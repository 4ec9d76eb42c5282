import { useTranslation } from 'react-i18next';
import type { Schemas } from '@/shared/api';
import { formatPercent, formatSpan } from '@/shared/format';
import { Fact, Facts } from '@/shared/ui';
import classes from './health.module.css';

type FiguresOf = Schemas['HealthFigures'] &
  Partial<Schemas['OwnHealthFigures']> &
  Partial<Schemas['ClockCertainty']>;

/** Uptime with its definition and the numbers that it was made of, and what else is counted. */
export function Figures({ figures }: { figures: FiguresOf }) {
  const { t } = useTranslation();
  const { excluded } = figures;
  const span = (seconds: number | null) =>
    seconds === null ? t('health.noData') : formatSpan(seconds * 1000, t);
  return (
    <div className={classes.figures}>
      <div>
        <div className={classes.small}>{t('health.uptime')}</div>
        <div className={classes.big}>
          {figures.uptimePercent === null
            ? t('health.noData')
            : formatPercent(figures.uptimePercent)}
        </div>
        <div className={classes.small}>
          {t('health.numbers', {
            connected: span(figures.connectedSeconds),
            counted: span(figures.countedSeconds),
          })}
        </div>
        <div className={classes.small}>{t('health.uptimeHelp')}</div>
        <div className={classes.small}>
          {t('health.excluded', {
            idle: span(excluded.idleSeconds),
            suspended: span(excluded.suspendedSeconds),
            unknown: span(excluded.unknownSeconds),
          })}
        </div>
        {figures.clockUncertain && (
          <div className={classes.small}>{t('health.clockUncertain')}</div>
        )}
      </div>
      <Facts>
        <Fact name={t('health.failures')} title={t('health.failuresHelp')}>
          {figures.failureCount}
        </Fact>
        <Fact name={t('health.downtime')} title={t('health.downtimeHelp')}>
          {span(figures.downSeconds)}
        </Fact>
        <Fact name={t('health.meanRecovery')} title={t('health.recoveryHelp')}>
          {span(figures.meanRecoverySeconds)}
        </Fact>
        {figures.longestOutageSeconds !== undefined && (
          <Fact name={t('health.longestOutage')}>{span(figures.longestOutageSeconds)}</Fact>
        )}
        {typeof figures.openOutageSeconds === 'number' && (
          <Fact name={t('health.openOutage')} title={t('health.openOutageHelp')}>
            {span(figures.openOutageSeconds)}
          </Fact>
        )}
        <Fact name={t('health.betweenFailures')}>
          {span(figures.meanTimeBetweenFailuresSeconds)}
        </Fact>
        {figures.flapping?.active && (
          <Fact name={t('health.flapping')} title={t('health.flappingHelp')}>
            {t('health.changesPerHour', { count: figures.flapping.changesPerHour })}
          </Fact>
        )}
      </Facts>
    </div>
  );
}
