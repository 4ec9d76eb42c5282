import { useMemo } from 'react';
import { type Status, useConnections } from '@/shared/data/connections';
import type { Address } from '@/shared/ui';
import type { Filters, Order } from '../data';

const orders: readonly Order[] = ['failures', 'downtime', 'flapping'];

export interface ChosenFilters {
  filters: Filters;
  /** Of these two the hub knows nothing: they choose among what it tells. */
  search: string;
  status: Status | null;
  set: (name: 'type' | 'order' | 'q' | 'status', value: string | null) => void;
  setLabels: (labels: string[]) => void;
  clear: () => void;
  any: boolean;
}

/** What is looked at, kept in the address. */
export function useFilters({ params, change }: Address): ChosenFilters {
  const key = params.toString();
  const set: ChosenFilters['set'] = (name, value) =>
    change((next) => (value ? next.set(name, value) : next.delete(name)));
  const setLabels = (labels: string[]) =>
    change((next) => {
      next.delete('label');
      for (const label of labels) next.append('label', label);
    });
  const clear = () =>
    change((next) => {
      for (const name of ['type', 'label', 'q', 'status']) next.delete(name);
    });
  const filters = useMemo(() => {
    const read = new URLSearchParams(key);
    const order = read.get('order') as Order;
    return {
      type: read.get('type'),
      labels: read.getAll('label'),
      order: orders.includes(order) ? order : 'failures',
    } satisfies Filters;
  }, [key]);
  const search = params.get('q') ?? '';
  const status = params.get('status') as Status | null;
  const any = Boolean(filters.type || filters.labels.length > 0 || search || status);
  return { filters, search, status, set, setLabels, clear, any };
}

/** The labels and types that connections have. */
export function useChoices() {
  const { data } = useConnections();
  return useMemo(() => {
    const labels = new Set<string>();
    const types = new Set<string>();
    for (const one of data ?? []) {
      types.add(one.type);
      for (const [key, value] of Object.entries(one.labels)) labels.add(`${key}:${value}`);
    }
    return { labels: [...labels].sort(), types: [...types].sort() };
  }, [data]);
}
