import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ask, type Schemas } from '@/shared/api';
import { connectionKeys } from '@/shared/data/connections';

export type Certificate = Schemas['Certificate'];
export type Explanation = Schemas['Explanation'];
export type ConnectionEvent = Schemas['ConnectionEvent'];
export type Dependencies = Schemas['DependencyGraph'];

const kWhileDownMs = 5000;

/** Why it is down; told anew while it is, because attempts go on. */
export function useExplanation(id: string) {
  return useQuery({
    queryKey: connectionKeys.explanation(id),
    queryFn: () => ask(api.GET('/connections/{id}/explanation', { params: { path: { id } } })),
    refetchInterval: ({ state }) => (state.data?.down ? kWhileDownMs : false),
  });
}

/** The staged test of a stored connection. */
export function useTestNow(id: string) {
  return useMutation({
    mutationFn: () => ask(api.POST('/connections/{id}/test', { params: { path: { id } } })),
  });
}

export function useDependencies(id: string) {
  return useQuery({
    queryKey: ['dependencies', id],
    queryFn: () => ask(api.GET('/dependencies', { params: { query: { id } } })),
  });
}

/** Whom the hub trusts, what it shows, what it refused: `usedBy` says which connections are concerned. */
export function useCertificates() {
  return useQuery({
    queryKey: ['certificates', 'all'],
    queryFn: async () =>
      (await ask(api.GET('/certificates', { params: { query: { limit: 1000 } } }))).items,
    staleTime: 0,
  });
}

/** Trusts a server's certificate for the connections and drafts that met it. The connections try again at once. */
export function useTrust() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      ask(api.POST('/certificates/{id}/trust', { params: { path: { id } } })),
    // What becomes of the connections comes live.
    onSuccess: () => client.invalidateQueries({ queryKey: ['certificates'] }),
  });
}

const kMostEvents = 5000;

/** Every change of status in a period, oldest first; of very many, the newest. */
export async function eventsOf(id: string, from: string, to: string): Promise<ConnectionEvent[]> {
  let cursor: string | undefined;
  let events: ConnectionEvent[] = [];
  do {
    // Without a format the answer is JSON; the contract knows CSV as well.
    const page = (await ask(
      api.GET('/connections/{id}/events', {
        params: { path: { id }, query: { from, to, limit: 1000, cursor } },
      }),
    )) as Schemas['ConnectionEventList'];
    events = [...events, ...page.items].slice(-kMostEvents);
    cursor = page.next ?? undefined;
  } while (cursor);
  return events;
}

const versionsKey = (id: string) => ['connections', id, 'versions'];

export function useVersions(id: string) {
  return useQuery({
    queryKey: versionsKey(id),
    queryFn: async () =>
      (
        await ask(
          api.GET('/connections/{id}/versions', {
            params: { path: { id }, query: { limit: 100 } },
          }),
        )
      ).items,
    staleTime: 0,
  });
}

export function useVersionDiff(id: string, version: number, other: number) {
  return useQuery({
    queryKey: [...versionsKey(id), version, other],
    queryFn: () =>
      ask(
        api.GET('/connections/{id}/versions/{version}/diff/{other}', {
          params: { path: { id, version: String(version), other: String(other) } },
        }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Makes a new version out of an old one; refused when `current` is not the newest any more. */
export function useRestore(id: string, current: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (version: number) =>
      ask(
        api.POST('/connections/{id}/versions/{version}/restore', {
          params: {
            path: { id, version: String(version) },
            header: { 'If-Match': `"${current}"` },
          },
        }),
      ),
    onSuccess: (connection) => {
      client.setQueryData(connectionKeys.one(id), connection);
      void client.invalidateQueries({ queryKey: connectionKeys.all, exact: true });
      void client.invalidateQueries({ queryKey: versionsKey(id) });
    },
  });
}
