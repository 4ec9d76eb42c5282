import { useTranslation } from 'react-i18next';
import type { Schemas } from '@/shared/api';
import { isObject } from '@/shared/form';
import { formatValue } from '@/shared/format';
import { Panel, ui } from '@/shared/ui';
import type { FunctionSeries } from './series';
import classes from './values.module.css';

/** The members of a record by their paths, objects within it one level deep. */
export function cellsOf(record: Schemas['Record']): Map<string, unknown> {
  const cells = new Map<string, unknown>();
  for (const [name, value] of Object.entries(record)) {
    if (name === '$meta') continue;
    if (!isObject(value)) cells.set(name, value);
    else for (const [inner, member] of Object.entries(value)) cells.set(`${name}.${inner}`, member);
  }
  return cells;
}

/**
 * The newest records of a subscription that reports messages, events or rows: each stays to be read, while the table of points has
 * only the last value of each member. Nothing for subscriptions of points.
 */
export function LiveRecords({ series }: { series: FunctionSeries }) {
  const { t } = useTranslation();
  const rows = series.records.map(({ number, record }) => ({ number, cells: cellsOf(record) }));
  if (rows.length === 0) return null;
  const columns = [...new Set(rows.flatMap(({ cells }) => [...cells.keys()]))];
  return (
    <Panel flush title={t('values.records', { count: rows.length })}>
      <section
        className={classes.records}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
        tabIndex={0}
        aria-label={t('values.newestRecords')}
      >
        <table className={ui.table}>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ number, cells }) => (
              <tr key={number}>
                {columns.map((column) => (
                  <td key={column} className={ui.mono}>
                    {cells.has(column) ? formatValue(cells.get(column)) : ''}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </Panel>
  );
}
