import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { ApiError, api, ask, type Schemas } from '@/shared/api';

export type Me = Schemas['Me'];

export const sessionKeys = {
  me: ['session', 'me'] as const,
  setup: ['session', 'setup'] as const,
  left: ['session', 'left'] as const,
};

/** Whether nobody is signed in because they signed out, and not because a session ended by itself. */
export function useLeft(): boolean {
  const { data } = useQuery({
    queryKey: sessionKeys.left,
    queryFn: () => false,
    initialData: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return data;
}

/** Who is signed in; null when nobody is. */
export function useMe() {
  return useQuery({
    queryKey: sessionKeys.me,
    queryFn: async (): Promise<Me | null> => {
      try {
        return await ask(api.GET('/auth/me'));
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) return null;
        throw error;
      }
    },
    staleTime: 60_000,
  });
}

/** Whether the hub still waits for its first administrator. */
export function useNeedsSetup(enabled: boolean) {
  return useQuery({
    queryKey: sessionKeys.setup,
    queryFn: async () => (await ask(api.GET('/auth/state'))).needsSetup,
    enabled,
  });
}

/** Forgets everything that belonged to the person who was signed in. */
export function useSignedOut(): () => void {
  const client = useQueryClient();
  return useCallback(() => {
    client.removeQueries({ predicate: (query) => query.queryKey[0] !== 'session' });
    client.setQueryData(sessionKeys.left, true);
    client.setQueryData(sessionKeys.me, null);
  }, [client]);
}
