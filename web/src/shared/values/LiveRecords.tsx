import { useTranslation } from 'react-i18next';
import { Panel } from '@/shared/ui';
import { RecordTable } from './RecordTable';
import type { FunctionSeries } from './series';
import classes from './values.module.css';

/**
 * The newest records of a subscription that reports messages, events or rows: each stays to be read, while the table of points has
 * only the last value of each member. Nothing for subscriptions of points.
 */
export function LiveRecords({ series }: { series: FunctionSeries }) {
  const { t } = useTranslation();
  const { records } = series;
  if (records.length === 0) return null;
  return (
    <Panel flush title={t('values.records', { count: records.length })}>
      <section
        className={classes.records}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
        tabIndex={0}
        aria-label={t('values.newestRecords')}
      >
        <RecordTable records={records} />
      </section>
    </Panel>
  );
}
