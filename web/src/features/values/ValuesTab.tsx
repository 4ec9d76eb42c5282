import { Button, NativeSelect, TextInput } from '@mantine/core';
import { IconActivity, IconPlus, IconSearch } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams, useSearchParams } from 'react-router';
import { useConnection, useConnector } from '@/shared/data/connections';
import { type HubFunction, useFunctions } from '@/shared/data/functions';
import { formatClock, formatTicking, formatValue } from '@/shared/format';
import { useLiveStatus } from '@/shared/live';
import { QualityBadge, type ShownQuality } from '@/shared/status';
import { EmptyState, ErrorMessage, Loading, Message, Panel, ui, useNow } from '@/shared/ui';
import { ChartPanel } from './ChartPanel';
import { Sparkline, sparkPath } from './Sparkline';
import { numberOf, type PointSeries } from './series';
import { unitsOf } from './units';
import { useSeries } from './use-series';
import classes from './values.module.css';

const kMaxRows = 200;

interface RowProps {
  point: PointSeries;
  unit: string;
  quality: ShownQuality;
  now: number;
  live: boolean;
  chosen: boolean;
  onChoose: () => void;
}

function Row({ point, unit, quality, now, live, chosen, onChoose }: RowProps) {
  const { t } = useTranslation();
  const { sample } = point;
  // The hub stamps a point that has never had a value with the beginning of time.
  const received = Date.parse(sample.receiveTime);
  return (
    <tr className={classes.row} data-chosen={chosen}>
      <td>
        <button
          type="button"
          className={classes.pointButton}
          aria-pressed={chosen}
          onClick={onChoose}
        >
          {point.name}
        </button>
      </td>
      <td data-number className={classes.value} data-doubtful={quality !== 'good'}>
        {sample.raw ?? formatValue(sample.value)}
        {unit && <span className={classes.unit}> {unit}</span>}
      </td>
      <td>
        <QualityBadge quality={quality} code={sample.code} message={sample.error?.message} />
      </td>
      <td>
        <Sparkline path={sparkPath(point, now, live && quality !== 'bad')} />
      </td>
      <td data-number className={classes.time}>
        {received > 0 ? formatTicking(now - received, t) : t('common.never')}
      </td>
      <td className={`${classes.time} ${ui.mono}`}>
        {received > 0 ? formatClock(sample.sourceTime ?? sample.receiveTime) : '–'}
      </td>
    </tr>
  );
}

function LiveTable({ fn, tools }: { fn: HubFunction; tools: React.ReactNode }) {
  const { t } = useTranslation();
  const { series, refused } = useSeries(fn.id);
  const lineStatus = useLiveStatus();
  const now = useNow(1000);
  const [filter, setFilter] = useState('');
  const [chosen, setChosen] = useState<string | null>(null);
  const live = lineStatus === 'live' && !series.stale;
  const points = series.points;
  const unitOf = useMemo(() => unitsOf(fn.settings), [fn.settings]);
  const wanted = filter.trim().toLowerCase();
  const shown = points.filter((point) => point.name.toLowerCase().includes(wanted));
  const first = points.find((point) => numberOf(point.sample.value) !== null) ?? points[0];
  const current = points.find((point) => point.name === chosen) ?? first;
  const qualityOf = (point: PointSeries): ShownQuality =>
    !live && point.sample.quality !== 'bad' ? 'stale' : point.sample.quality;

  return (
    <div className={classes.layout}>
      <Panel flush title={t('connection.tabs.values')} aside={tools}>
        {refused && <Message tone="bad">{refused}</Message>}
        {fn.subscription?.error && <Message tone="bad">{fn.subscription.error.message}</Message>}
        {points.length === 0 ? (
          <EmptyState
            icon={<IconActivity size={32} stroke={1.2} aria-hidden />}
            title={t('values.waiting')}
          />
        ) : (
          <div className={ui.tableScroll}>
            <table className={`${ui.table} ${ui.rows} ${classes.table}`}>
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
                  <th scope="col">
                    {points.some((point) => point.sample.sourceTime !== null)
                      ? t('values.sourceTime')
                      : t('values.received')}
                  </th>
                </tr>
              </thead>
              <tbody>
                {shown.slice(0, kMaxRows).map((point) => (
                  <Row
                    key={point.name}
                    point={point}
                    unit={unitOf(point.name)}
                    quality={qualityOf(point)}
                    now={now}
                    live={live}
                    chosen={point === current}
                    onChoose={() => setChosen(point.name)}
                  />
                ))}
              </tbody>
            </table>
          </div>
        )}
        <div className={classes.foot}>
          {shown.length > kMaxRows
            ? t('values.trimmed', { shown: kMaxRows, total: shown.length })
            : t('values.count', { count: points.length })}
          {' · '}
          {t('values.perSecond', { rate: series.rate.toFixed(1) })}
        </div>
      </Panel>
      <div className={classes.chartColumn}>
        {current && (
          <ChartPanel
            series={series}
            point={current.name}
            live={live}
            quality={qualityOf(current)}
          />
        )}
      </div>
    </div>
  );
}

/** How many points a subscription names. The one with the most is shown first. */
function sizeOf({ settings }: HubFunction): number {
  const list = settings.points ?? settings.nodes ?? settings.topics;
  return Array.isArray(list) ? list.length : 0;
}

/** What the connection's subscriptions report, as it comes. */
export default function ValuesTab() {
  const { t } = useTranslation();
  const { id = '' } = useParams();
  const [params, setParams] = useSearchParams();
  const functions = useFunctions(id);
  const connection = useConnection(id);
  const connector = useConnector(connection.data?.type);
  if (functions.error)
    return <ErrorMessage error={functions.error} onRetry={() => void functions.refetch()} />;
  if (!functions.data) return <Loading />;
  const subscriptions = functions.data.filter((fn) => fn.kind === 'subscribe');
  const richest = subscriptions.toSorted((a, b) => sizeOf(b) - sizeOf(a))[0];
  const chosen = subscriptions.find((fn) => fn.id === params.get('function')) ?? richest;
  const type = connector.data?.functions.find((one) => one.kind === 'subscribe')?.type;
  if (!chosen) {
    return (
      <Panel>
        <EmptyState
          icon={<IconActivity size={40} stroke={1.2} aria-hidden />}
          title={t('values.empty')}
          text={t('values.emptyText')}
          action={
            <Button
              component={Link}
              to={`/connections/${id}/functions/new${type ? `?type=${type}` : ''}`}
              leftSection={<IconPlus size={16} />}
            >
              {t('values.emptyAction')}
            </Button>
          }
        />
      </Panel>
    );
  }
  return (
    <LiveTable
      key={chosen.id}
      fn={chosen}
      tools={
        subscriptions.length > 1 ? (
          <NativeSelect
            size="xs"
            aria-label={t('values.subscription')}
            value={chosen.id}
            data={subscriptions.map((fn) => ({ value: fn.id, label: fn.name }))}
            onChange={(event) =>
              setParams({ function: event.currentTarget.value }, { replace: true })
            }
          />
        ) : (
          <span className={classes.time}>{chosen.name}</span>
        )
      }
    />
  );
}
