import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { api, ask, type Schemas } from '@/shared/api';
import type { ApiRequest } from '@/shared/copy';
import { hubNow } from '@/shared/data/clock';
import { connectionKeys } from '@/shared/data/connections';
import { notifyFailed, useErrorText } from '@/shared/ui';
import type { ConnectionEvent } from './events/outages';
import { type Bounds, boundsOf, isoOf, keyOf, type Period, refreshMsOf } from './period';
import { segmentsOf } from './timeline/buckets';

export type ConnectionHealth = Schemas['ConnectionHealth'];
export type Summary = Schemas['ConnectionHealthSummary'];
export type SystemHealth = Schemas['SystemHealth'];
export type Alarm = Schemas['Alarm'];
export type Order = 'failures' | 'downtime' | 'flapping';

/** Which connections. */
export interface Filters {
  type: string | null;
  labels: string[];
  order: Order;
}

export const healthKeys = {
  all: ['health'] as const,
  alarms: ['health', 'alarms'] as const,
  windows: ['maintenance-windows'] as const,
  notices: ['notices'] as const,
};

const kParts = 2000;
const kPage = 500;

/** What the hub is asked for: the period as it is at this moment. */
const nowOf = (period: Period) => isoOf(boundsOf(period, hubNow()));

async function healthOf(id: string, period: Period): Promise<ConnectionHealth> {
  const path = { id };
  const query = nowOf(period);
  const health = await ask(api.GET('/connections/{id}/health', { params: { path, query } }));
  if (health.timelineComplete) return health;
  const parts = await ask(
    api.GET('/connections/{id}/health', { params: { path, query: { ...query, buckets: kParts } } }),
  );
  return { ...parts, timeline: segmentsOf(parts.buckets) };
}

/** One connection's past, its timeline always whole. */
export function useHealth(id: string, period: Period) {
  return useQuery({
    queryKey: [...connectionKeys.health(id), keyOf(period)],
    queryFn: () => healthOf(id, period),
    refetchInterval: refreshMsOf(period),
    placeholderData: keepPreviousData,
  });
}

/** Every change of the period, oldest first. */
export async function everyEvent(id: string, period: Period): Promise<ConnectionEvent[]> {
  const { from, to } = nowOf(period);
  const events: ConnectionEvent[] = [];
  let cursor: string | undefined;
  do {
    // Without a format the answer is JSON; the contract knows CSV as well.
    const page = (await ask(
      api.GET('/connections/{id}/events', {
        params: { path: { id }, query: { from, to, limit: 1000, cursor } },
      }),
    )) as Schemas['ConnectionEventList'];
    events.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor);
  return events;
}

export function useEvents(id: string, period: Period) {
  return useQuery({
    queryKey: [...connectionKeys.events(id), keyOf(period)],
    queryFn: () => everyEvent(id, period),
    refetchInterval: refreshMsOf(period),
    placeholderData: keepPreviousData,
  });
}

const systemQuery = (period: Period, { type, labels, order }: Filters) => ({
  ...nowOf(period),
  sort: order,
  limit: kPage,
  ...(type ? { type } : {}),
  ...(labels.length > 0 ? { label: labels } : {}),
});

/** What the overview is made of, as a request for scripts. */
export function systemRequest(period: Period, filters: Filters): ApiRequest {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(systemQuery(period, filters)))
    for (const one of [value].flat()) query.append(name, String(one));
  return { method: 'GET', path: `/health/connections?${query}` };
}

function askSystem(period: Period, filters: Filters, cursor: string | undefined) {
  return ask(
    api.GET('/health/connections', {
      params: {
        query: { ...systemQuery(period, filters), cursor },
      },
    }),
  );
}

/** All connections that the filters let through: totals and issues in the first page, figures in all of them. */
export function useSystemHealth(period: Period, filters: Filters) {
  return useInfiniteQuery({
    queryKey: [...healthKeys.all, 'system', keyOf(period), filters],
    queryFn: ({ pageParam }) => askSystem(period, filters, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    refetchInterval: refreshMsOf(period),
    staleTime: 0,
    placeholderData: keepPreviousData,
  });
}

/** The figures of every connection, for a file. */
export async function everySummary(period: Period, filters: Filters): Promise<Summary[]> {
  const items: Summary[] = [];
  let cursor: string | undefined;
  do {
    const page = await askSystem(period, filters, cursor);
    items.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor);
  return items;
}

/** Alarms that were raised in the period and are over, newest first. The hub lists all by the time they were raised. */
export function usePastAlarms(period: Period) {
  const query = useInfiniteQuery({
    queryKey: [...healthKeys.alarms, keyOf(period)],
    queryFn: ({ pageParam }) =>
      ask(api.GET('/alarms', { params: { query: { limit: 100, cursor: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ items, next }) => {
      const oldest = items.at(-1);
      const { from } = boundsOf(period, hubNow());
      return next && oldest && Date.parse(oldest.raisedAt) >= from ? next : undefined;
    },
  });
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const alarms =
    data &&
    raisedIn(
      data.pages.flatMap((page) => page.items),
      boundsOf(period, hubNow()),
    );
  const skipping = alarms?.length === 0 && hasNextPage && !isFetchingNextPage;
  useEffect(() => {
    // Whatever was raised after the period comes first in the list.
    if (skipping) void fetchNextPage();
  }, [skipping, fetchNextPage]);
  return { ...query, alarms };
}

/** Those that are over and were raised between the ends of a period. */
export const raisedIn = (alarms: readonly Alarm[], { from, to }: Bounds): Alarm[] =>
  alarms.filter(({ raisedAt, clearedAt }) => {
    const at = Date.parse(raisedAt);
    return clearedAt && at >= from && at < to;
  });

/** A change whose failure is told at the edge of the page; `key` is asked for anew when it is done. */
export function useChange<T>(key: readonly unknown[], change: (what: T) => Promise<unknown>) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const errorText = useErrorText();
  return useMutation({
    mutationFn: change,
    onError: (error) => {
      const { message, hint } = errorText(error);
      notifyFailed(t('error.failed'), hint ? `${message} ${hint}` : message);
    },
    onSettled: () => client.invalidateQueries({ queryKey: key }),
  });
}
