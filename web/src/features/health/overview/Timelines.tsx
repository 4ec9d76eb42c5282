import { NativeSelect } from '@mantine/core';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { HistoryStatus } from '@/shared/data/connections';
import { EmptyState, Loading, Panel } from '@/shared/ui';
import type { Order, Summary } from '../data';
import classes from '../health.module.css';
import { Axis } from '../timeline/Axis';
import { Legend } from '../timeline/Legend';
import type { ChosenPeriod } from '../use-period';
import { TimelineRow } from './TimelineRow';
import type { ChosenFilters } from './use-filters';

const kRowPixels = 44;
const kAhead = 20;

const legend: HistoryStatus[] = [
  'Connected',
  'Connecting',
  'Reconnecting',
  'Disconnected',
  'Failed',
  'Suspended',
  'Idle',
  'Unknown',
];
const orders: Order[] = ['failures', 'downtime', 'flapping'];

interface TimelinesProps {
  items: readonly Summary[];
  /** More of them can be had. */
  more: boolean;
  fetching: boolean;
  onMore: () => void;
  chosen: ChosenPeriod;
  filters: ChosenFilters;
}

/** One bar for each connection, above one another along the same time. Only what is in view is there, and asked for. */
export function Timelines({ items, more, fetching, onMore, chosen, filters }: TimelinesProps) {
  const { t } = useTranslation();
  const list = useRef<HTMLOListElement>(null);
  const [top, setTop] = useState(0);
  const [open, setOpen] = useState<string | null>(null);
  useEffect(() => {
    // What stands above the list grows and shrinks.
    const measure = () => {
      const box = list.current?.getBoundingClientRect();
      if (box) setTop(box.top + window.scrollY);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, []);
  const rows = useWindowVirtualizer({
    count: items.length,
    estimateSize: () => kRowPixels,
    overscan: 6,
    scrollMargin: top,
    // What is not laid out has no height, and then all of them would seem to be in view.
    measureElement: (row) => row.getBoundingClientRect().height || kRowPixels,
    getItemKey: (index) => items[index]?.id ?? index,
  });
  const visible = rows.getVirtualItems();
  const last = visible.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !fetching && last + kAhead >= items.length) onMore();
  }, [more, fetching, last, items.length, onMore]);
  return (
    <Panel
      title={t('health.timelines')}
      aside={
        <>
          <span className={classes.small}>{t('health.zoomHelp')}</span>
          <NativeSelect
            size="xs"
            aria-label={t('health.order.label')}
            value={filters.filters.order}
            data={orders.map((order) => ({ value: order, label: t(`health.order.${order}`) }))}
            onChange={(event) => filters.set('order', event.currentTarget.value)}
          />
        </>
      }
    >
      <Legend statuses={legend} />
      <div className={`${classes.row} ${classes.head}`} aria-hidden="true">
        <span />
        <span>{t('health.connection')}</span>
        <span>{t('health.timeline')}</span>
        <span className={classes.rowFigure}>{t('health.uptime')}</span>
        <span className={classes.rowFigure}>{t('health.failures')}</span>
        <span className={classes.rowFigure}>{t('health.downtime')}</span>
      </div>
      <div className={`${classes.row} ${classes.axisRow}`}>
        <div className={classes.rowBar}>
          <Axis bounds={chosen.bounds} onZoom={chosen.zoom} />
        </div>
      </div>
      {items.length === 0 && !more && <EmptyState title={t('health.noneFound')} />}
      <ol
        ref={list}
        className={classes.rows}
        aria-label={t('health.timelines')}
        style={{ height: rows.getTotalSize() }}
      >
        {visible.map(({ index, key, start }) => {
          const summary = items[index];
          return (
            summary && (
              <li
                key={key}
                ref={rows.measureElement}
                data-index={index}
                aria-posinset={index + 1}
                aria-setsize={more ? -1 : items.length}
                className={classes.item}
                style={{ transform: `translateY(${start - top}px)` }}
              >
                <TimelineRow
                  summary={summary}
                  chosen={chosen}
                  open={open === summary.id}
                  onToggle={() => setOpen(open === summary.id ? null : summary.id)}
                />
              </li>
            )
          );
        })}
      </ol>
      {fetching && items.length === 0 && <Loading />}
    </Panel>
  );
}
