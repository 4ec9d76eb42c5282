import { type QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
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
  explanation: (id: string) => ['connections', id, 'explanation'] as const,
};

/** Follows `next` to the end: the list filters and sorts all of them as one types. */
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

function applyChange(client: QueryClient, change: StreamConnection): void {
  const { id, state, removed } = change;
  const list = client.getQueryData<Connection[]>(connectionKeys.all);
  if (removed) {
    client.setQueryData<Connection[]>(connectionKeys.all, (old) =>
      old?.filter((one) => one.id !== id),
    );
    void client.invalidateQueries({ queryKey: connectionKeys.one(id), exact: true });
    return;
  }
  if (!state) return;
  if (list && !list.some((one) => one.id === id)) {
    void client.invalidateQueries({ queryKey: connectionKeys.all, exact: true });
  }
  client.setQueryData<Connection[]>(connectionKeys.all, (old) =>
    old?.map((one) => (one.id === id ? { ...one, name: change.name ?? one.name, state } : one)),
  );
  const before = client.getQueryData<Connection>(connectionKeys.one(id));
  client.setQueryData<Connection>(connectionKeys.one(id), (old) => old && { ...old, state });
  if (before && before.state.status !== state.status) {
    void client.invalidateQueries({ queryKey: connectionKeys.events(id) });
    void client.invalidateQueries({ queryKey: connectionKeys.health(id) });
    void client.invalidateQueries({ queryKey: connectionKeys.explanation(id) });
    void client.invalidateQueries({ queryKey: ['functions'] });
  }
}

/** Keeps every cached connection at its live state. Mounted once, by the shell. */
export function useLiveConnections(): void {
  const client = useQueryClient();
  useTopic(
    { topic: 'connections' },
    {
      onSnapshot: (data) => {
        const changes = data as StreamConnection[];
        for (const change of changes) applyChange(client, change);
        const alive = new Set(changes.map((change) => change.id));
        client.setQueryData<Connection[]>(connectionKeys.all, (old) =>
          old?.filter((one) => alive.has(one.id)),
        );
      },
      onDelta: (data) => applyChange(client, data as StreamConnection),
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
      applyChange(client, connection);
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
      for (const { id, state } of items) if (state) applyChange(client, { id, state });
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
