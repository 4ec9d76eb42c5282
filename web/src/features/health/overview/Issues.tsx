import { Button } from '@mantine/core';
import {
  IconAlertOctagon,
  IconAlertTriangle,
  IconCircleCheck,
  IconInfoCircle,
} from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useConnections } from '@/shared/data/connections';
import { formatMoment, formatSpan } from '@/shared/format';
import { StatusBadge } from '@/shared/status';
import {
  ErrorMessage,
  type Icon,
  Lasting,
  Loading,
  Panel,
  TableScroll,
  type Tone,
  ToneBadge,
  ui,
} from '@/shared/ui';
import { type Alarm, type SystemHealth, usePastAlarms } from '../data';
import classes from '../health.module.css';
import type { Period } from '../period';

const kShown = 8;

const looks: Record<Alarm['severity'], { tone: Tone; icon: Icon }> = {
  error: { tone: 'bad', icon: IconAlertOctagon },
  warning: { tone: 'warn', icon: IconAlertTriangle },
  info: { tone: 'info', icon: IconInfoCircle },
};

function useNames(): (id: string | null) => string | undefined {
  const { data } = useConnections();
  const names = useMemo(() => new Map(data?.map((one) => [one.id, one.name])), [data]);
  return (id) => (id === null ? undefined : (names.get(id) ?? id));
}

function AlarmRows({ alarms }: { alarms: readonly Alarm[] }) {
  const { t } = useTranslation();
  const nameOf = useNames();
  return alarms.map((alarm) => (
    <tr key={alarm.id}>
      <td>
        <ToneBadge tone={looks[alarm.severity].tone} icon={looks[alarm.severity].icon}>
          {t(`health.severity.${alarm.severity}`)}
        </ToneBadge>
      </td>
      <td>
        {alarm.connectionId ? (
          <Link className={classes.strong} to={`/connections/${alarm.connectionId}/health`}>
            {nameOf(alarm.connectionId)}
          </Link>
        ) : (
          t('health.theHub')
        )}
      </td>
      <td className={classes.cause} data-explains>
        {alarm.message} <span className={ui.label}>{alarm.kind}</span>
      </td>
      <td className={ui.nowrap}>
        {alarm.clearedAt ? (
          <span title={formatMoment(alarm.raisedAt)}>
            {formatMoment(alarm.raisedAt)} ·{' '}
            {formatSpan(Date.parse(alarm.clearedAt) - Date.parse(alarm.raisedAt), t)}
          </span>
        ) : (
          <Lasting since={alarm.raisedAt} />
        )}
      </td>
    </tr>
  ));
}

function Head() {
  const { t } = useTranslation();
  return (
    <thead>
      <tr>
        <th scope="col">{t('common.status')}</th>
        <th scope="col">{t('health.connection')}</th>
        <th scope="col">{t('health.why')}</th>
        <th scope="col">{t('health.lasts')}</th>
      </tr>
    </thead>
  );
}

function PastAlarms({ period }: { period: Period }) {
  const { t } = useTranslation();
  const alarms = usePastAlarms(period);
  if (alarms.error)
    return <ErrorMessage error={alarms.error} onRetry={() => void alarms.refetch()} />;
  const past = alarms.alarms;
  if (!past || (past.length === 0 && alarms.hasNextPage)) return <Loading />;
  return (
    <>
      {past.length === 0 && <p className={classes.quiet}>{t('health.noPastAlarms')}</p>}
      {past.length > 0 && (
        <table className={`${ui.table} ${ui.stacked}`} aria-label={t('health.pastAlarmsOf')}>
          <Head />
          <tbody>
            <AlarmRows alarms={past} />
          </tbody>
        </table>
      )}
      {alarms.hasNextPage && (
        <div className={classes.foot}>
          <Button size="xs" variant="default" onClick={() => void alarms.fetchNextPage()}>
            {t('health.olderAlarms')}
          </Button>
        </div>
      )}
    </>
  );
}

/** What is wrong now: connections that should run and do not, and what the hub raised an alarm for. */
export function Issues({ health, period }: { health: SystemHealth; period: Period }) {
  const { t } = useTranslation();
  const [all, setAll] = useState(false);
  const [past, setPast] = useState(false);
  const { currentIssues, alarms, issueCount } = health;
  const none = currentIssues.length === 0 && alarms.length === 0;
  const shown = all ? currentIssues : currentIssues.slice(0, kShown);
  return (
    <Panel
      flush
      title={t('health.issues', { count: issueCount + alarms.length })}
      aside={
        <Button
          size="compact-xs"
          variant="subtle"
          aria-expanded={past}
          onClick={() => setPast(!past)}
        >
          {t('health.pastAlarms')}
        </Button>
      }
    >
      {none ? (
        <div className={classes.fine}>
          <ToneBadge plain tone="good" icon={IconCircleCheck}>
            <b>{t('health.noIssues')}</b>
          </ToneBadge>
          <span className={classes.small}>{t('health.noIssuesText')}</span>
        </div>
      ) : (
        <TableScroll>
          <table
            className={`${ui.table} ${ui.stacked}`}
            aria-label={t('health.issues', { count: issueCount })}
          >
            <Head />
            <tbody>
              {shown.map(({ id, name, state }) => (
                <tr key={id}>
                  <td>
                    <StatusBadge status={state.status} />
                  </td>
                  <td>
                    <Link className={classes.strong} to={`/connections/${id}/health`}>
                      {name}
                    </Link>
                  </td>
                  <td className={classes.cause} data-explains>
                    {state.cause?.message ?? state.degraded ?? ''}
                    {state.cause?.hint && <div className={classes.small}>{state.cause.hint}</div>}
                  </td>
                  <td className={ui.nowrap}>
                    <Lasting since={state.since} />
                  </td>
                </tr>
              ))}
              <AlarmRows alarms={alarms} />
            </tbody>
          </table>
        </TableScroll>
      )}
      {shown.length < currentIssues.length && (
        <div className={classes.foot}>
          <Button size="xs" variant="default" onClick={() => setAll(true)}>
            {t('health.allIssues', { count: currentIssues.length })}
          </Button>
        </div>
      )}
      {past && <PastAlarms period={period} />}
    </Panel>
  );
}
