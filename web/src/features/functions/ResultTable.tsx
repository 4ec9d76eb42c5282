import { useTranslation } from 'react-i18next';
import type { Schemas } from '@/shared/api';
import { formatClock, formatValue } from '@/shared/format';
import { QualityBadge } from '@/shared/status';
import { ui } from '@/shared/ui';
import { RecordTable } from '@/shared/values';
import classes from './functions.module.css';

const kMaxRows = 500;

function Samples({ samples }: { samples: Schemas['Sample'][] }) {
  const { t } = useTranslation();
  return (
    <table className={ui.table}>
      <thead>
        <tr>
          <th scope="col">{t('functions.point')}</th>
          <th scope="col" data-number>
            {t('functions.value')}
          </th>
          <th scope="col">{t('quality.label')}</th>
          <th scope="col">{t('values.sourceTime')}</th>
          <th scope="col">{t('values.received')}</th>
        </tr>
      </thead>
      <tbody>
        {samples.slice(0, kMaxRows).map((sample) => (
          <tr key={sample.point}>
            <td>{sample.point}</td>
            <td data-number>{sample.raw ?? formatValue(sample.value)}</td>
            <td>
              <QualityBadge
                quality={sample.quality}
                code={sample.code}
                message={sample.error?.message}
              />
              {sample.code && <span className={classes.sub}> {sample.code}</span>}
              {sample.error && <div className={classes.sub}>{sample.error.message}</div>}
            </td>
            <td className={ui.mono}>{sample.sourceTime ? formatClock(sample.sourceTime) : '–'}</td>
            <td className={ui.mono}>{formatClock(sample.receiveTime)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What a function answered: points with their quality, or rows. */
export function ResultTable({ data }: { data: Schemas['FunctionData'] }) {
  const { t } = useTranslation();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
    <section className={classes.resultTable} tabIndex={0} aria-label={t('functions.result')}>
      {Math.max(data.samples?.length ?? 0, data.records?.length ?? 0) > kMaxRows && (
        <p className={classes.sub}>{t('functions.firstRows', { count: kMaxRows })}</p>
      )}
      {data.samples && data.samples.length > 0 && <Samples samples={data.samples} />}
      {data.records && data.records.length > 0 && (
        <RecordTable
          records={data.records.slice(0, kMaxRows).map((record, number) => ({ number, record }))}
        />
      )}
    </section>
  );
}
