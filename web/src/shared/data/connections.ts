import { type QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { api, ask, type Schemas } from '@/shared/api';
import { useTopic } from '@/shared/live';
import { everyPage } from './pages';

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
  explanation: (id: string) => ['connections', id, 'explanation'] as const,
};

// The first page fills a screen and comes at once, however many there are.
const kFirstPage = 100;

export const everyConnection = (): Promise<Connection[]> =>
  everyPage((cursor) =>
    ask(api.GET('/connections', { params: { query: { limit: 1000, cursor } } })),
  );

export function useConnections() {
  const client = useQueryClient();
  return useQuery({
    queryKey: connectionKeys.all,
    queryFn: () => {
      const first = client.getQueryData(connectionKeys.all) === undefined;
      return everyPage<Connection>(
        (cursor) => {
          const limit = first && !cursor ? kFirstPage : 1000;
          return ask(api.GET('/connections', { params: { query: { limit, cursor } } }));
        },
        // While there is nothing to show, what has come is shown.
        first ? (items) => client.setQueryData(connectionKeys.all, items) : undefined,
      );
    },
  });
}

/**
 * Loads the list until it has them: those that come while it is being loaded may have missed it. One load at a time; an
 * import of thousands must not start it over with each of them.
 */
async function loadUntilKnown(client: QueryClient, ids: readonly string[]): Promise<void> {
  for (let tries = 0; tries < 3; tries += 1) {
    await client.invalidateQueries(
      { queryKey: connectionKeys.all, exact: true },
      { cancelRefetch: false },
    );
    const list = client.getQueryData<Connection[]>(connectionKeys.all) ?? [];
    const known = new Set(list.map(({ id }) => id));
    if (ids.every((id) => known.has(id))) return;
  }
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
    const unknown = changes.filter(({ id, state, removed }) => state && !removed && !known.has(id));
    if (unknown.length > 0)
      void loadUntilKnown(
        client,
        unknown.map(({ id }) => id),
      );
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
    void client.invalidateQueries({ queryKey: connectionKeys.explanation(id) });
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

export type Suspend = Schemas['SuspendRequest'];

export type Command =
  | { command: 'start' | 'stop' | 'restart' }
  | ({ command: 'suspend' } & Suspend)
  | { command: 'resume'; start: boolean };

function send(id: string, command: Command): Promise<Connection> {
  const params = { path: { id } };
  switch (command.command) {
    case 'start':
      return ask(api.POST('/connections/{id}/start', { params }));
    case 'stop':
      return ask(api.POST('/connections/{id}/stop', { params }));
    case 'restart':
      return ask(api.POST('/connections/{id}/restart', { params }));
    case 'suspend': {
      const { command: _, ...body } = command;
      return ask(api.POST('/connections/{id}/suspend', { params, body }));
    }
    case 'resume':
      return ask(api.POST('/connections/{id}/resume', { params, body: { start: command.start } }));
  }
}

export function useConnectionCommand(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (command: Command) => send(id, command),
    onSuccess: (connection) => {
      client.setQueryData(connectionKeys.one(id), connection);
      applyChanges(client, [connection]);
      void client.invalidateQueries({ queryKey: connectionKeys.events(id) });
      void client.invalidateQueries({ queryKey: connectionKeys.health(id) });
    },
  });
}

export type BulkRequest = Schemas['BulkRequest'];

/** One command for many connections; what became of each comes back. */
export function useBulkCommand() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: BulkRequest) => ask(api.POST('/connections/bulk', { body })),
    onSuccess: ({ items }) => {
      applyChanges(
        client,
        items.flatMap(({ id, state }) => (state ? [{ id, state }] : [])),
      );
    },
  });
}

/** What stops when these connections stop. */
export function useImpact(ids: readonly string[]) {
  return useQuery({
    queryKey: ['impact', ids],
    queryFn: async () => {
      const [id] = ids;
      if (id !== undefined && ids.length === 1)
        return ask(api.GET('/connections/{id}/impact', { params: { path: { id } } }));
      const { impact } = await ask(
        api.POST('/connections/bulk', {
          params: { query: { dryRun: true } },
          // Nothing is done, but a suspension needs a reason all the same.
          body: { action: 'suspend', connectionIds: [...ids], reason: 'preview' },
        }),
      );
      return impact ?? { functions: [], pipelines: [] };
    },
    staleTime: 0,
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
