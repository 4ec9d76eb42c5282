import { Button } from '@mantine/core';
import {
  IconAlertOctagon,
  IconArrowRight,
  IconChevronDown,
  IconChevronRight,
  IconPlayerPause,
  IconQuestionMark,
} from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { formatMoment, formatSpan } from '@/shared/format';
import { StatusBadge } from '@/shared/status';
import { EmptyState, type Icon, Lasting, TableScroll, type Tone, ToneBadge, ui } from '@/shared/ui';
import classes from '../health.module.css';
import {
  attemptsOf,
  type ConnectionEvent,
  type EventGroup,
  type GroupKind,
  groupEvents,
  reasonOf,
} from './outages';

const kStep = 50;

const looks: Record<Exclude<GroupKind, 'change'>, { tone: Tone; icon: Icon }> = {
  outage: { tone: 'bad', icon: IconAlertOctagon },
  suspension: { tone: 'hold', icon: IconPlayerPause },
  unknown: { tone: 'neutral', icon: IconQuestionMark },
};

function Change({ event }: { event: ConnectionEvent }) {
  return (
    <span className={classes.change}>
      {event.from && (
        <>
          <StatusBadge plain status={event.from} />
          <IconArrowRight size={14} aria-hidden />
        </>
      )}
      <StatusBadge plain status={event.to} />
    </span>
  );
}

function EventRow({ event, inner }: { event: ConnectionEvent; inner?: boolean }) {
  const { t } = useTranslation();
  return (
    <tr className={inner ? classes.inner : undefined}>
      <td className={ui.nowrap}>{formatMoment(event.at)}</td>
      <td>
        <Change event={event} />
      </td>
      <td className={classes.cause} data-explains>
        {event.cause?.message ?? event.note ?? ''}
        {event.cause && <div className={classes.small}>{event.cause.code}</div>}
      </td>
      <td>{event.actor ?? t('health.hub')}</td>
    </tr>
  );
}

function GroupRows({ group }: { group: EventGroup }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [first] = group.events;
  if (!first) return null;
  if (group.kind === 'change') return <EventRow event={first} />;
  const { tone, icon } = looks[group.kind];
  const attempts = attemptsOf(group);
  return (
    <>
      <tr>
        <td className={ui.nowrap}>{formatMoment(group.from)}</td>
        <td>
          <ToneBadge tone={tone} icon={icon}>
            {t(`health.group.${group.kind}`)}
          </ToneBadge>{' '}
          <span className={ui.nowrap}>
            {group.to ? (
              formatSpan(Date.parse(group.to) - Date.parse(group.from), t)
            ) : (
              <>
                <Lasting since={group.from} /> {t('health.stillOpen')}
              </>
            )}
          </span>
        </td>
        <td className={classes.cause} data-explains>
          {group.kind === 'unknown' ? t('status.explain.Unknown') : reasonOf(group)}
          {group.kind === 'outage' && attempts > 0 && (
            <div className={classes.small}>{t('health.attempts', { count: attempts })}</div>
          )}
        </td>
        <td>
          <span className={classes.who}>
            {first.actor ?? t('health.hub')}
            <Button
              size="compact-xs"
              variant="subtle"
              aria-expanded={open}
              leftSection={open ? <IconChevronDown size={14} /> : <IconChevronRight size={14} />}
              onClick={() => setOpen(!open)}
            >
              {t('health.transitions', { count: group.events.length })}
            </Button>
          </span>
        </td>
      </tr>
      {open && group.events.map((event) => <EventRow key={event.seq} event={event} inner />)}
    </>
  );
}

/** What changed: outages with their causes, suspensions with their reasons, each unfolding into its changes. Newest first. */
export function Events({ events }: { events: readonly ConnectionEvent[] }) {
  const { t } = useTranslation();
  const [limit, setLimit] = useState(kStep);
  const groups = useMemo(() => groupEvents(events).reverse(), [events]);
  if (groups.length === 0) return <EmptyState title={t('health.noEvents')} />;
  return (
    <TableScroll>
      <table className={`${ui.table} ${ui.stacked}`}>
        <thead>
          <tr>
            <th scope="col">{t('health.when')}</th>
            <th scope="col">{t('health.change')}</th>
            <th scope="col">{t('health.why')}</th>
            <th scope="col">{t('health.who')}</th>
          </tr>
        </thead>
        <tbody>
          {groups.slice(0, limit).map((group) => (
            <GroupRows key={group.events[0]?.seq} group={group} />
          ))}
        </tbody>
      </table>
      {groups.length > limit && (
        <div className={classes.foot}>
          <Button size="xs" variant="default" onClick={() => setLimit(limit + kStep)}>
            {t('health.older', { count: groups.length - limit })}
          </Button>
        </div>
      )}
    </TableScroll>
  );
}
