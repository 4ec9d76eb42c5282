import { TextInput } from '@mantine/core';
import { IconActivity, IconSearch } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { formatClock, formatTicking, formatValue } from '@/shared/format';
import { QualityBadge, type ShownQuality } from '@/shared/status';
import { EmptyState, Message, ui, useNow } from '@/shared/ui';
import { Sparkline, sparkPath } from './Sparkline';
import type { PointSeries } from './series';
import type { LivePoints } from './use-live-points';
import classes from './values.module.css';

const kRowHeight = 36;
const kColumns = 7;

interface RowProps {
  point: PointSeries;
  place: number;
  unit: string;
  quality: ShownQuality;
  now: number;
  live: boolean;
  chosen: boolean;
  onChoose: ((name: string) => void) | undefined;
}

function Row({ point, place, unit, quality, now, live, chosen, onChoose }: RowProps) {
  const { t } = useTranslation();
  const { sample } = point;
  // The hub stamps a point that has never had a value with the beginning of time.
  const received = Date.parse(sample.receiveTime);
  const known = received > 0;
  return (
    <tr className={classes.row} data-chosen={chosen} aria-rowindex={place + 2}>
      <td>
        {onChoose ? (
          <button
            type="button"
            className={classes.pointButton}
            aria-pressed={chosen}
            onClick={() => onChoose(point.name)}
          >
            {point.name}
          </button>
        ) : (
          point.name
        )}
      </td>
      <td data-number className={classes.value} data-doubtful={quality !== 'good'}>
        {sample.raw ?? formatValue(sample.value)}
        {unit && <span className={classes.unit}> {unit}</span>}
      </td>
      <td className={ui.nowrap}>
        <QualityBadge quality={quality} code={sample.code} message={sample.error?.message} />
        {sample.code && <span className={classes.code}> {sample.code}</span>}
      </td>
      <td>
        <Sparkline path={sparkPath(point, now, live && quality !== 'bad')} />
      </td>
      <td data-number className={classes.time}>
        {known ? formatTicking(Math.max(0, now - received), t) : t('common.never')}
      </td>
      <td className={`${classes.time} ${ui.mono}`}>
        {known && sample.sourceTime ? formatClock(sample.sourceTime) : '–'}
      </td>
      <td className={`${classes.time} ${ui.mono}`}>
        {known ? formatClock(sample.receiveTime) : '–'}
      </td>
    </tr>
  );
}

interface LiveTableProps {
  points: LivePoints;
  /** The point that is looked at more closely; without `onChoose` none can be. */
  chosen?: string | undefined;
  onChoose?: (name: string) => void;
}

/** Every point of a subscription with value, quality, age, times and its last minute. Of long lists only what is seen is drawn. */
export function LiveTable({ points: live, chosen, onChoose }: LiveTableProps) {
  const { t } = useTranslation();
  const now = useNow(1000);
  const [filter, setFilter] = useState('');
  const frame = useRef<HTMLElement>(null);
  const all = live.series.points;
  const shown = useMemo(() => {
    const wanted = filter.trim().toLowerCase();
    return wanted === '' ? all : all.filter(({ name }) => name.toLowerCase().includes(wanted));
  }, [all, filter]);
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => frame.current,
    estimateSize: () => kRowHeight,
    overscan: 6,
  });
  const items = virtual.getVirtualItems();
  const above = items[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const space = (height: number) =>
    height > 0 && (
      <tr aria-hidden>
        <td colSpan={kColumns} style={{ height, padding: 0 }} />
      </tr>
    );
  return (
    <>
      {live.refused && <Message tone="bad">{live.refused}</Message>}
      {all.length === 0 ? (
        <EmptyState
          icon={<IconActivity size={32} stroke={1.2} aria-hidden />}
          title={t('values.waiting')}
        />
      ) : (
        <section
          ref={frame}
          className={classes.frame}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
          tabIndex={0}
          aria-label={t('values.live')}
        >
          <table
            className={`${ui.table} ${ui.rows} ${classes.table}`}
            aria-rowcount={shown.length + 1}
          >
            <thead>
              <tr>
                <th scope="col">
                  <TextInput
                    size="xs"
                    variant="unstyled"
                    aria-label={t('values.filter')}
                    placeholder={t('values.point')}
                    leftSection={<IconSearch size={13} />}
                    value={filter}
                    onChange={(event) => setFilter(event.currentTarget.value)}
                  />
                </th>
                <th scope="col" data-number>
                  {t('values.value')}
                </th>
                <th scope="col">{t('quality.label')}</th>
                <th scope="col">{t('values.trend')}</th>
                <th scope="col" data-number>
                  {t('values.age')}
                </th>
                <th scope="col">{t('values.sourceTime')}</th>
                <th scope="col">{t('values.received')}</th>
              </tr>
            </thead>
            <tbody>
              {space(above)}
              {items.map(({ index }) => {
                const point = shown[index];
                return (
                  point && (
                    <Row
                      key={point.name}
                      point={point}
                      place={index}
                      unit={live.unitOf(point.name)}
                      quality={live.qualityOf(point)}
                      now={now}
                      live={live.live}
                      chosen={point.name === chosen}
                      onChoose={onChoose}
                    />
                  )
                );
              })}
              {space(below)}
            </tbody>
          </table>
        </section>
      )}
      <div className={classes.foot}>
        {t('values.count', { count: all.length })}
        {' · '}
        {t('values.perSecond', { rate: live.series.rate.toFixed(1) })}
      </div>
    </>
  );
}
