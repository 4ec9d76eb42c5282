import { SegmentedControl } from '@mantine/core';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { hubNow } from '@/shared/data/clock';
import { formatSpan, formatValue } from '@/shared/format';
import { QualityBadge, type ShownQuality } from '@/shared/status';
import { Loading, Panel } from '@/shared/ui';
import { type FunctionSeries, numberOf, statistics, windowOf } from '@/shared/values';
import classes from './values.module.css';

const Chart = lazy(() => import('./Chart'));

const kWindows = [60_000, 120_000, 300_000];

interface ChartPanelProps {
  series: FunctionSeries;
  point: string;
  live: boolean;
  quality: ShownQuality;
}

/** The chosen point: its value in large type, its numbers, its line. */
export function ChartPanel({ series, point, live, quality }: ChartPanelProps) {
  const { t } = useTranslation();
  const [windowMs, setWindowMs] = useState(kWindows[0] ?? 60_000);
  const [readout, setReadout] = useState('');
  const found = series.find(point);
  if (!found) return null;
  const drawable = numberOf(found.sample.value) !== null || found.values.length > 0;
  const numbers = statistics(windowOf(found, hubNow(), windowMs, live));
  const value = found.sample.raw ?? formatValue(found.sample.value);
  return (
    <Panel
      flush
      title={point}
      aside={
        <SegmentedControl
          size="xs"
          aria-label={t('values.window')}
          value={String(windowMs)}
          onChange={(next) => setWindowMs(Number(next))}
          data={kWindows.map((ms) => ({ value: String(ms), label: formatSpan(ms, t) }))}
        />
      }
    >
      <div className={classes.chartHead}>
        <span className={classes.chartValue} data-testid="chart-value">
          {value}
        </span>
        <QualityBadge
          quality={quality}
          code={found.sample.code}
          message={found.sample.error?.message}
        />
        {numbers && (
          <span className={classes.stats}>
            {(['min', 'mean', 'max'] as const).map((name) => (
              <span key={name}>
                {t(`values.${name}`)} <b>{formatValue(Number(numbers[name].toPrecision(6)))}</b>
              </span>
            ))}
          </span>
        )}
      </div>
      {drawable ? (
        <Suspense fallback={<Loading />}>
          <Chart
            series={series}
            point={point}
            windowMs={windowMs}
            live={live}
            label={t('values.chartAria', { point, span: formatSpan(windowMs, t), value })}
            onReadout={setReadout}
          />
        </Suspense>
      ) : (
        <div className={classes.chart}>
          <div className={classes.hint}>
            {found.sample.value === null
              ? t('values.chartEmpty', { point })
              : t('values.notANumber', { point })}
          </div>
        </div>
      )}
      <div className={classes.readout} aria-hidden="true">
        {readout}
      </div>
    </Panel>
  );
}
