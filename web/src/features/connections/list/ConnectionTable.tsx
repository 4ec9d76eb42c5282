import { Checkbox } from '@mantine/core';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useLayoutEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Connection } from '@/shared/data/connections';
import { ui } from '@/shared/ui';
import { ConnectionRow } from './ConnectionRow';
import classes from './list.module.css';
import type { Column, Order } from './order';

// As list.module.css has it: every row is as high as every other one.
const kRowPx = 52;

interface ConnectionTableProps {
  connections: readonly Connection[];
  order: Order;
  onOrder: (order: Order) => void;
  chosen: ReadonlySet<string>;
  onChoose: (ids: readonly string[], on: boolean) => void;
}

function Heading({
  column,
  order,
  onOrder,
  children,
}: {
  column: Column;
  order: Order;
  onOrder: (order: Order) => void;
  children: string;
}) {
  const current = order.column === column;
  const Arrow = order.down ? IconArrowDown : IconArrowUp;
  return (
    <button
      type="button"
      className={classes.sort}
      onClick={() => onOrder({ column, down: current && !order.down })}
    >
      {children}
      {current && <Arrow size={12} aria-hidden />}
    </button>
  );
}

/** However long the list is, only the rows in sight are drawn; readers are told of all of them. */
export function ConnectionTable(props: ConnectionTableProps) {
  const { connections, order, onOrder, chosen, onChoose } = props;
  const { t } = useTranslation();
  const body = useRef<HTMLTableSectionElement>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    const above = body.current?.getBoundingClientRect().top ?? 0;
    setTop(above + window.scrollY);
  }, []);
  const rows = useWindowVirtualizer({
    count: connections.length,
    estimateSize: () => kRowPx,
    overscan: 8,
    scrollMargin: top,
  });
  const items = rows.getVirtualItems();
  const before = (items[0]?.start ?? top) - top;
  const after = rows.getTotalSize() - ((items.at(-1)?.end ?? top) - top);
  const all = connections.length > 0 && connections.every((one) => chosen.has(one.id));
  const some = connections.some((one) => chosen.has(one.id));
  const sortOf = (column: Column) =>
    order.column === column ? (order.down ? 'descending' : 'ascending') : undefined;
  const heading = (column: Column, text: string, className?: string) => (
    <th scope="col" aria-sort={sortOf(column)} className={className}>
      <Heading column={column} order={order} onOrder={onOrder}>
        {text}
      </Heading>
    </th>
  );
  const spacer = (key: string, height: number) =>
    height > 0 && (
      <tr key={key} aria-hidden className={classes.spacer}>
        <td colSpan={8} style={{ height }} />
      </tr>
    );
  return (
    <table
      className={`${ui.table} ${ui.rows} ${classes.table}`}
      aria-rowcount={connections.length + 1}
    >
      <thead>
        <tr aria-rowindex={1}>
          <th scope="col" className={classes.pick}>
            <Checkbox
              size="xs"
              aria-label={t('connections.chooseAll')}
              checked={all}
              indeterminate={some && !all}
              onChange={(event) =>
                onChoose(
                  connections.map((one) => one.id),
                  event.currentTarget.checked,
                )
              }
            />
          </th>
          {heading('status', t('common.status'), classes.statusColumn)}
          {heading('name', t('common.name'), classes.nameColumn)}
          {heading('type', t('common.type'), `${classes.typeColumn} ${classes.wide}`)}
          {heading('address', t('connections.target'), `${classes.addressColumn} ${classes.wide}`)}
          <th scope="col" className={classes.wide}>
            {t('connections.note')}
          </th>
          <th scope="col" className={`${classes.labelColumn} ${classes.widest}`}>
            {t('connections.labels')}
          </th>
          <th scope="col" data-number aria-sort={sortOf('since')} className={classes.sinceColumn}>
            <Heading column="since" order={order} onOrder={onOrder}>
              {t('connections.since')}
            </Heading>
          </th>
        </tr>
      </thead>
      <tbody ref={body}>
        {spacer('before', before)}
        {items.map(({ index }) => {
          const connection = connections[index];
          return (
            connection && (
              <ConnectionRow
                key={connection.id}
                connection={connection}
                index={index}
                chosen={chosen.has(connection.id)}
                onChoose={(on) => onChoose([connection.id], on)}
              />
            )
          );
        })}
        {spacer('after', after)}
      </tbody>
    </table>
  );
}
