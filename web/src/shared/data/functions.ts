import { useQuery } from '@tanstack/react-query';
import { api, ask, type Schemas } from '@/shared/api';
import { everyPage } from './pages';

export type HubFunction = Schemas['Function'];
/** What a function is called and what it is, without its settings: they may have ten thousand points. */
export type ShortFunction = Pick<
  HubFunction,
  'id' | 'name' | 'connectionId' | 'kind' | 'type' | 'parameters'
>;
export type FunctionKind = Schemas['FunctionKind'];
export type Sample = Schemas['Sample'];
export type ErrorDetail = Schemas['ErrorDetail'];

export const functionKeys = {
  ofConnection: (connectionId: string) => ['functions', 'of', connectionId] as const,
  one: (id: string) => ['functions', id] as const,
  everywhere: ['functions', 'everywhere'] as const,
};

/** The functions of all connections. */
export function useEveryFunction<T = ShortFunction[]>(select?: (functions: ShortFunction[]) => T) {
  return useQuery({
    queryKey: functionKeys.everywhere,
    queryFn: () =>
      everyPage<ShortFunction>(async (cursor) => {
        const { items, next } = await ask(
          api.GET('/functions', { params: { query: { limit: 1000, cursor } } }),
        );
        return {
          items: items.map(({ id, name, connectionId, kind, type, parameters }) => ({
            id,
            name,
            connectionId,
            kind,
            type,
            parameters,
          })),
          next,
        };
      }),
    select,
  });
}

export function useFunctions(connectionId: string) {
  return useQuery({
    queryKey: functionKeys.ofConnection(connectionId),
    queryFn: async () => {
      const answer = await ask(
        api.GET('/connections/{id}/functions', {
          params: { path: { id: connectionId }, query: { limit: 1000 } },
        }),
      );
      return answer.items;
    },
  });
}
