import type { Schemas } from '@/shared/api';
import { isObject } from '@/shared/form';
import { formatValue } from '@/shared/format';
import { ui } from '@/shared/ui';

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

/** Records, one a row; a column for every path that one of them has. `number` tells rows apart while they come and go. */
export function RecordTable({
  records,
}: {
  records: readonly { number: number; record: Schemas['Record'] }[];
}) {
  const rows = records.map(({ number, record }) => ({ number, cells: cellsOf(record) }));
  const columns = [...new Set(rows.flatMap(({ cells }) => [...cells.keys()]))];
  return (
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
  );
}
