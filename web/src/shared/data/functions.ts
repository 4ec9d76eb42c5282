import { useQuery } from '@tanstack/react-query';
import { api, ask, type Schemas } from '@/shared/api';

export type HubFunction = Schemas['Function'];
export type FunctionKind = Schemas['FunctionKind'];
export type Sample = Schemas['Sample'];
export type ErrorDetail = Schemas['ErrorDetail'];

export const functionKeys = {
  ofConnection: (connectionId: string) => ['functions', 'of', connectionId] as const,
  one: (id: string) => ['functions', id] as const,
};

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
