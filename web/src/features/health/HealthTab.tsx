import { SegmentedControl } from '@mantine/core';
import { IconArrowRight } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useParams } from 'react-router';
import { api, ask, type Schemas } from '@/shared/api';
import { hubNow } from '@/shared/data/clock';
import { connectionKeys } from '@/shared/data/connections';
import { formatMoment, formatPercent, formatSpan } from '@/shared/format';
import { StatusBadge } from '@/shared/status';
import { EmptyState, ErrorMessage, Fact, Facts, Loading, Panel, ui } from '@/shared/ui';
import classes from './health.module.css';
import { Timeline } from './Timeline';

const kHour = 3_600_000;
const kRanges = {
  h1: kHour,
  h6: 6 * kHour,
  d1: 24 * kHour,
  d7: 168 * kHour,
  d30: 720 * kHour,
  d90: 2160 * kHour,
};
type Range = keyof typeof kRanges;

const kEvents = 200;

function periodOf(range: Range) {
  const to = hubNow();
  return { from: new Date(to - kRanges[range]).toISOString(), to: new Date(to).toISOString() };
}

/** Events come oldest first; the last page of them is what one wants to see. */
async function newestEvents(id: string, range: Range): Promise<Schemas['ConnectionEvent'][]> {
  const { from, to } = periodOf(range);
  let cursor: string | undefined;
  let newest: Schemas['ConnectionEvent'][] = [];
  do {
    // Without a format the answer is JSON; the contract knows CSV as well.
    const page = (await ask(
      api.GET('/connections/{id}/events', {
        params: { path: { id }, query: { from, to, limit: 1000, cursor } },
      }),
    )) as Schemas['ConnectionEventList'];
    newest = [...newest, ...page.items].slice(-kEvents);
    cursor = page.next ?? undefined;
  } while (cursor);
  return newest.reverse();
}

function Figures({ health }: { health: Schemas['ConnectionHealth'] }) {
  const { t } = useTranslation();
  const { durations } = health;
  const span = (seconds: number | null) =>
    seconds === null ? t('health.noData') : formatSpan(seconds * 1000, t);
  const total = Object.values(durations).reduce((sum, seconds) => sum + seconds, 0);
  const counted = total - durations.Idle - durations.Suspended - durations.Unknown;
  return (
    <div className={classes.figures}>
      <div title={t('health.uptimeHelp')}>
        <div className={classes.small}>{t('health.uptime')}</div>
        <div className={classes.big}>
          {health.uptimePercent === null ? t('health.noData') : formatPercent(health.uptimePercent)}
        </div>
        <div className={classes.small}>
          {t('health.numbers', { connected: span(durations.Connected), counted: span(counted) })}
        </div>
        <div className={classes.small}>
          {t('health.excluded', {
            idle: span(durations.Idle),
            suspended: span(durations.Suspended),
            unknown: span(durations.Unknown),
          })}
        </div>
      </div>
      <Facts>
        <Fact name={t('health.failures')}>{health.failureCount}</Fact>
        <Fact name={t('health.meanRecovery')}>{span(health.meanRecoverySeconds)}</Fact>
        <Fact name={t('health.longestOutage')}>{span(health.longestOutageSeconds)}</Fact>
        <Fact name={t('health.betweenFailures')}>
          {span(health.meanTimeBetweenFailuresSeconds)}
        </Fact>
      </Facts>
    </div>
  );
}

function Events({ events }: { events: Schemas['ConnectionEvent'][] }) {
  const { t } = useTranslation();
  if (events.length === 0) return <EmptyState title={t('health.noEvents')} />;
  return (
    <div className={ui.tableScroll}>
      <table className={ui.table}>
        <thead>
          <tr>
            <th scope="col">{t('health.when')}</th>
            <th scope="col">{t('health.change')}</th>
            <th scope="col">{t('health.why')}</th>
            <th scope="col">{t('health.who')}</th>
          </tr>
        </thead>
        <tbody>
          {events.map((event) => (
            <tr key={event.seq}>
              <td className={ui.nowrap}>{formatMoment(event.at)}</td>
              <td>
                <span className={classes.change}>
                  {event.from && (
                    <>
                      <StatusBadge plain status={event.from} />
                      <IconArrowRight size={14} aria-hidden />
                    </>
                  )}
                  <StatusBadge plain status={event.to} />
                </span>
              </td>
              <td className={classes.cause}>
                {event.cause?.message ?? event.note ?? ''}
                {event.cause && <div className={classes.small}>{event.cause.code}</div>}
              </td>
              <td>{event.actor ?? t('health.hub')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The past of a connection: where its time went, and every change. */
export default function HealthTab() {
  const { t } = useTranslation();
  const { id = '' } = useParams();
  const [range, setRange] = useState<Range>('h1');
  const health = useQuery({
    queryKey: [...connectionKeys.health(id), range],
    queryFn: () =>
      ask(
        api.GET('/connections/{id}/health', { params: { path: { id }, query: periodOf(range) } }),
      ),
    refetchInterval: 15_000,
    placeholderData: keepPreviousData,
  });
  const events = useQuery({
    queryKey: [...connectionKeys.events(id), range],
    queryFn: () => newestEvents(id, range),
    placeholderData: keepPreviousData,
  });
  const error = health.error ?? events.error;
  return (
    <div className={classes.column}>
      {error && (
        <ErrorMessage
          error={error}
          onRetry={() => {
            void health.refetch();
            void events.refetch();
          }}
        />
      )}
      <Panel
        title={t('health.timeline')}
        aside={
          <SegmentedControl
            size="xs"
            aria-label={t('health.rangeLabel')}
            value={range}
            onChange={(next) => setRange(next as Range)}
            data={(Object.keys(kRanges) as Range[]).map((name) => ({
              value: name,
              label: t(`health.range.${name}`),
            }))}
          />
        }
      >
        {health.data ? (
          <div className={classes.column}>
            <Timeline segments={health.data.timeline} from={health.data.from} to={health.data.to} />
            <Figures health={health.data} />
          </div>
        ) : (
          !health.error && <Loading />
        )}
      </Panel>
      <Panel
        flush
        title={t('health.events')}
        aside={<span className={classes.small}>{t('health.newestFirst', { count: kEvents })}</span>}
      >
        {events.data ? <Events events={events.data} /> : !events.error && <Loading />}
      </Panel>
    </div>
  );
}
