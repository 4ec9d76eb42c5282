import type { Connection } from '@/shared/data/connections';
import { statusOrder } from '@/shared/status';
import { addressOf } from '../address';

export const kColumns = ['status', 'name', 'type', 'address', 'since'] as const;
export type Column = (typeof kColumns)[number];

export interface Order {
  column: Column;
  down: boolean;
}

const collator = new Intl.Collator(undefined, { numeric: true });

const compare: Record<Column, (a: Connection, b: Connection) => number> = {
  status: (a, b) => statusOrder.indexOf(a.state.status) - statusOrder.indexOf(b.state.status),
  name: (a, b) => collator.compare(a.name, b.name),
  type: (a, b) => collator.compare(a.type, b.type),
  address: (a, b) => collator.compare(addressOf(a), addressOf(b)),
  // The newest change is the shortest time.
  since: (a, b) => (a.state.since < b.state.since ? 1 : a.state.since > b.state.since ? -1 : 0),
};

/** `name`, `-since`: as it stands in the address of the page. */
export function parseOrder(text: string | null): Order {
  const down = text?.startsWith('-') ?? false;
  const column = kColumns.find((one) => one === (down ? text?.slice(1) : text));
  return column ? { column, down } : { column: 'name', down: false };
}

export const printOrder = ({ column, down }: Order): string => (down ? `-${column}` : column);

/** A copy in this order; what is equal keeps the order it has, which is that of the names. */
export function inOrder(connections: readonly Connection[], order: Order): Connection[] {
  const sign = order.down ? -1 : 1;
  return connections.toSorted((a, b) => sign * compare[order.column](a, b));
}
