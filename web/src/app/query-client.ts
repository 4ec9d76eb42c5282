import { QueryClient } from '@tanstack/react-query';
import { ApiError } from '@/shared/api';

/** The cache of what the hub said. */
export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        // Only what may pass by itself is asked again: no answer, or a hub that is starting or busy.
        retry: (count, error) =>
          count < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 502),
      },
    },
  });
}
