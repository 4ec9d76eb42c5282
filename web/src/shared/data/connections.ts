import { type QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { api, ask, type Schemas } from '@/shared/api';
import { useTopic } from '@/shared/live';

export type Connection = Schemas['Connection'];
export type ConnectionState = Schemas['State'];
export type Status = Schemas['Status'];
export type HistoryStatus = Schemas['HistoryStatus'];
export type Connector = Schemas['Connector'];
export type ConnectionCreate = Schemas['ConnectionCreate'];
export type Diagnosis = Schemas['Diagnosis'];

type StreamConnection = Schemas['StreamConnection'];

export const connectionKeys = {
  all: ['connections'] as const,
  one: (id: string) => ['connections', id] as const,
  events: (id: string) => ['connections', id, 'events'] as const,
  health: (id: string) => ['connections', id, 'health'] as const,
};

/** Follows `next` to the end: connections are counted in hundreds, and the list filters as one types. */
async function everyPage<T>(
  page: (cursor: string | undefined) => Promise<{ items: T[]; next: string | null }>,
): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const answer = await page(cursor);
    items.push(...answer.items);
    cursor = answer.next ?? undefined;
  } while (cursor);
  return items;
}

export function useConnections() {
  return useQuery({
    queryKey: connectionKeys.all,
    queryFn: () =>
      everyPage<Connection>((cursor) =>
        ask(api.GET('/connections', { params: { query: { limit: 1000, cursor } } })),
      ),
  });
}

export function useConnection(id: string) {
  const client = useQueryClient();
  return useQuery({
    queryKey: connectionKeys.one(id),
    queryFn: () => ask(api.GET('/connections/{id}', { params: { path: { id } } })),
    initialData: () =>
      client
        .getQueryData<Connection[]>(connectionKeys.all)
        ?.find((connection) => connection.id === id),
    initialDataUpdatedAt: 0,
  });
}

/** Many changes at once: a snapshot of ten thousand connections is one new list, not ten thousand. */
function applyChanges(client: QueryClient, changes: readonly StreamConnection[]): void {
  const changed = new Map(changes.map((change) => [change.id, change]));
  const list = client.getQueryData<Connection[]>(connectionKeys.all);
  if (list) {
    const known = new Set(list.map((one) => one.id));
    if (changes.some(({ id, state, removed }) => state && !removed && !known.has(id)))
      void client.invalidateQueries({ queryKey: connectionKeys.all, exact: true });
    const next = list.flatMap((one) => {
      const change = changed.get(one.id);
      if (change?.removed) return [];
      return change?.state
        ? [{ ...one, name: change.name ?? one.name, state: change.state }]
        : [one];
    });
    client.setQueryData<Connection[]>(connectionKeys.all, next);
  }
  for (const { id, state, removed } of changes) {
    const before = client.getQueryData<Connection>(connectionKeys.one(id));
    if (!before) continue;
    if (removed || !state) {
      void client.invalidateQueries({ queryKey: connectionKeys.one(id), exact: true });
      continue;
    }
    client.setQueryData<Connection>(connectionKeys.one(id), { ...before, state });
    if (before.state.status === state.status) continue;
    void client.invalidateQueries({ queryKey: connectionKeys.events(id) });
    void client.invalidateQueries({ queryKey: connectionKeys.health(id) });
    void client.invalidateQueries({ queryKey: ['functions'] });
  }
}

// Changes are shown four times a second at most: more cannot be read, and a storm of them must not stop the page.
const kGatherMs = 250;

/** Keeps every cached connection at its live state. Mounted once, by the shell. */
export function useLiveConnections(): void {
  const client = useQueryClient();
  const waiting = useRef<{ changes: StreamConnection[]; timer?: ReturnType<typeof setTimeout> }>({
    changes: [],
  });
  const flush = () => {
    const { changes } = waiting.current;
    waiting.current = { changes: [] };
    applyChanges(client, changes);
  };
  useEffect(() => () => clearTimeout(waiting.current.timer), []);
  useTopic(
    { topic: 'connections' },
    {
      onSnapshot: (data) => {
        const changes = data as StreamConnection[];
        clearTimeout(waiting.current.timer);
        waiting.current = { changes: [] };
        const alive = new Set(changes.map((change) => change.id));
        client.setQueryData<Connection[]>(connectionKeys.all, (old) =>
          old?.filter((one) => alive.has(one.id)),
        );
        applyChanges(client, changes);
      },
      onDelta: (data) => {
        const { current } = waiting;
        current.changes.push(data as StreamConnection);
        current.timer ??= setTimeout(flush, kGatherMs);
      },
    },
  );
}

export type Command =
  | { command: 'start' | 'stop' | 'restart' }
  | { command: 'suspend'; reason: string; until: string | null }
  | { command: 'resume'; start: boolean };

/** Tells the hub what to do with a connection. */
export function sendCommand(id: string, command: Command): Promise<Connection> {
  const params = { path: { id } };
  switch (command.command) {
    case 'start':
      return ask(api.POST('/connections/{id}/start', { params }));
    case 'stop':
      return ask(api.POST('/connections/{id}/stop', { params }));
    case 'restart':
      return ask(api.POST('/connections/{id}/restart', { params }));
    case 'suspend': {
      const { reason, until } = command;
      return ask(api.POST('/connections/{id}/suspend', { params, body: { reason, until } }));
    }
    case 'resume':
      return ask(api.POST('/connections/{id}/resume', { params, body: { start: command.start } }));
  }
}

export function useConnectionCommand(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (command: Command) => sendCommand(id, command),
    onSuccess: (connection) => {
      client.setQueryData(connectionKeys.one(id), connection);
      applyChanges(client, [connection]);
      void client.invalidateQueries({ queryKey: connectionKeys.events(id) });
      void client.invalidateQueries({ queryKey: connectionKeys.health(id) });
    },
  });
}

export function useConnectors() {
  return useQuery({
    queryKey: ['connectors'],
    queryFn: () =>
      everyPage<Connector>((cursor) =>
        ask(api.GET('/connectors', { params: { query: { limit: 1000, cursor } } })),
      ),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useConnector(type: string | undefined) {
  return useQuery({
    queryKey: ['connectors', type],
    queryFn: () => ask(api.GET('/connectors/{type}', { params: { path: { type: type ?? '' } } })),
    enabled: type !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
}
