import { ActionIcon } from '@mantine/core';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { formatCount, formatPercent, formatSpan } from '@/shared/format';
import { StatusBadge } from '@/shared/status';
import { ErrorMessage, Loading, ui } from '@/shared/ui';
import { type Summary, useEvents, useHealth } from '../data';
import { Events } from '../events/Events';
import { Figures } from '../Figures';
import classes from '../health.module.css';
import { keyOf, putInto } from '../period';
import { Bar } from '../timeline/Bar';
import { type Segment, sharesOf } from '../timeline/buckets';
import type { ChosenPeriod } from '../use-period';

const nothing: Segment[] = [];

/** The bar in words. */
function Shares({ segments, chosen }: { segments: Segment[]; chosen: ChosenPeriod }) {
  const { t } = useTranslation();
  const { from, to } = chosen.bounds;
  return (
    <ul className={ui.hidden} aria-label={t('health.segments')}>
      {sharesOf(segments, from, to).map(({ status, ms }) => (
        <li key={status}>
          {t(`status.${status}`)}, {formatSpan(ms, t)}
        </li>
      ))}
    </ul>
  );
}

/** Its name stands in the head of the list where there is room for one. */
function RowFigure({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={classes.rowFigure}>
      <span className={classes.figureName}>{name} </span>
      {children}
    </div>
  );
}

function Details({ summary, chosen }: { summary: Summary; chosen: ChosenPeriod }) {
  const events = useEvents(summary.id, chosen.period);
  return (
    <div className={classes.details}>
      <Figures figures={summary} />
      {events.error && <ErrorMessage error={events.error} onRetry={() => void events.refetch()} />}
      {events.data ? (
        <Events key={keyOf(chosen.period)} events={events.data} />
      ) : (
        !events.error && <Loading />
      )}
    </div>
  );
}

interface TimelineRowProps {
  summary: Summary;
  chosen: ChosenPeriod;
  open: boolean;
  onToggle: () => void;
}

/** One connection: its bar and its figures, unfolding into its events. Its timeline is asked for when it comes into view. */
export function TimelineRow({ summary, chosen, open, onToggle }: TimelineRowProps) {
  const { t } = useTranslation();
  const { id, name } = summary;
  const health = useHealth(id, chosen.period);
  const segments = health.data?.timeline ?? nothing;
  const params = new URLSearchParams();
  putInto(params, chosen.period);
  return (
    <>
      <div className={classes.row}>
        <ActionIcon
          size="sm"
          variant="subtle"
          color="gray"
          aria-expanded={open}
          aria-label={t('health.details', { name })}
          onClick={onToggle}
        >
          {open ? <IconChevronDown size={16} /> : <IconChevronRight size={16} />}
        </ActionIcon>
        <div className={classes.rowName}>
          <Link to={`/connections/${id}/health?${params}`} title={name}>
            {name}
          </Link>
          <StatusBadge plain status={summary.status} />
        </div>
        <div className={classes.rowBar}>
          <Bar thin segments={segments} bounds={chosen.bounds} onZoom={chosen.zoom} />
          <Shares segments={segments} chosen={chosen} />
        </div>
        <RowFigure name={t('health.uptime')}>
          {summary.uptimePercent === null
            ? t('health.noData')
            : formatPercent(summary.uptimePercent)}
        </RowFigure>
        <RowFigure name={t('health.failures')}>{formatCount(summary.failureCount)}</RowFigure>
        <RowFigure name={t('health.downtime')}>
          {formatSpan(summary.downSeconds * 1000, t)}
        </RowFigure>
      </div>
      {open && <Details summary={summary} chosen={chosen} />}
    </>
  );
}
