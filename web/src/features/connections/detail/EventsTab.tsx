import { Button, SegmentedControl } from '@mantine/core';
import { IconArrowRight, IconDownload } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { hubNow } from '@/shared/data/clock';
import { connectionKeys } from '@/shared/data/connections';
import { formatMoment, formatSpan } from '@/shared/format';
import { StatusBadge } from '@/shared/status';
import { EmptyState, ErrorMessage, Lasting, Loading, Panel, ui } from '@/shared/ui';
import classes from '../connections.module.css';
import { type ConnectionEvent, eventsOf } from '../data';
import { useThisConnection } from './ConnectionPage';
import { groupByOutage, type Outage } from './outages';

const kHour = 3_600_000;
const kRanges = { d1: 24 * kHour, d7: 168 * kHour, d30: 720 * kHour, d90: 2160 * kHour };
type Range = keyof typeof kRanges;

function Change({ event }: { event: ConnectionEvent }) {
  const { t } = useTranslation();
  return (
    <div className={classes.change}>
      <span className={classes.when}>{formatMoment(event.at)}</span>
      <span className={classes.fromTo}>
        {event.from && (
          <>
            <StatusBadge plain status={event.from} />
            <IconArrowRight size={14} aria-hidden />
          </>
        )}
        <StatusBadge plain status={event.to} />
      </span>
      <span className={classes.because}>
        {event.cause?.message ?? event.note ?? ''}
        {event.cause && <span className={ui.reference}> {event.cause.code}</span>}
      </span>
      <span className={classes.who}>{event.actor ?? t('events.hub')}</span>
    </div>
  );
}

function OutageEntry({ outage }: { outage: Outage }) {
  const { t } = useTranslation();
  return (
    <details className={classes.outage}>
      <summary>
        <span className={classes.when}>{formatMoment(outage.from)}</span>
        <StatusBadge status={outage.failed ? 'Failed' : 'Disconnected'} />
        <strong>
          {outage.to ? (
            t('events.outage', {
              span: formatSpan(Date.parse(outage.to) - Date.parse(outage.from), t),
            })
          ) : (
            <>
              {t('events.goingOn')} <Lasting since={outage.from} />
            </>
          )}
        </strong>
        <span className={classes.because}>{outage.cause?.message}</span>
        <span className={classes.quiet}>
          {t('events.attempts', { count: outage.attempts })}
          {outage.end && `, ${t('events.endedIn', { status: t(`status.${outage.end}`) })}`}
        </span>
      </summary>
      <ol className={classes.transitions}>
        {outage.events.map((event) => (
          <li key={event.seq}>
            <Change event={event} />
          </li>
        ))}
      </ol>
    </details>
  );
}

/** What happened to a connection, newest first; each outage is one entry that unfolds into its changes. */
export default function EventsTab() {
  const { t } = useTranslation();
  const { id, name } = useThisConnection();
  const [range, setRange] = useState<Range>('d7');
  const period = () => {
    const to = hubNow();
    return {
      from: new Date(to - kRanges[range]).toISOString(),
      to: new Date(to).toISOString(),
    };
  };
  const { data, error, refetch } = useQuery({
    queryKey: [...connectionKeys.events(id), 'grouped', range],
    queryFn: () => {
      const { from, to } = period();
      return eventsOf(id, from, to);
    },
    placeholderData: keepPreviousData,
  });
  const entries = data ? groupByOutage(data).toReversed() : [];
  const csv = () => {
    const { from, to } = period();
    return `/api/v1/connections/${id}/events?${new URLSearchParams({ from, to, format: 'csv' })}`;
  };
  return (
    <Panel
      title={t('events.title')}
      aside={
        <>
          <SegmentedControl
            size="xs"
            aria-label={t('events.period')}
            value={range}
            onChange={(next) => setRange(next as Range)}
            data={(Object.keys(kRanges) as Range[]).map((value) => ({
              value,
              label: t(`events.range.${value}`),
            }))}
          />
          <Button
            component="a"
            size="compact-sm"
            variant="default"
            href={csv()}
            download={`${name} events.csv`}
            leftSection={<IconDownload size={14} />}
          >
            {t('events.csv')}
          </Button>
        </>
      }
    >
      {error && <ErrorMessage error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Loading />}
      {data && entries.length === 0 && <EmptyState title={t('events.none')} />}
      <ol className={classes.events}>
        {entries.map((entry) =>
          entry.kind === 'outage' ? (
            <li key={entry.events[0]?.seq}>
              <OutageEntry outage={entry} />
            </li>
          ) : (
            <li key={entry.event.seq}>
              <Change event={entry.event} />
            </li>
          ),
        )}
      </ol>
    </Panel>
  );
}
