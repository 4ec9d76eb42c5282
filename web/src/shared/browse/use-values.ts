import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { ApiError, api, ask, type Schemas } from '@/shared/api';

type Sample = Schemas['Sample'];

const kEveryMs = 2000;
// Who scrolls asks for what he stops at.
const kPauseMs = 300;
const kNone: ReadonlyMap<string, Sample> = new Map();

const cannotTell = (error: Error | null): boolean =>
  error instanceof ApiError && error.code === 'not_readable';

/**
 * What nodes hold now, by id, asked anew every two seconds. Empty for systems that cannot tell, and while the last answer was a
 * refusal: a value that is shown is of now.
 */
export function useNodeValues(
  connectionId: string,
  nodes: readonly string[],
): ReadonlyMap<string, Sample> {
  const [asked] = useDebouncedValue(JSON.stringify(nodes), kPauseMs);
  const { data, isError } = useQuery({
    queryKey: ['browse-values', connectionId, asked],
    queryFn: () =>
      ask(
        api.POST('/connections/{id}/browse/values', {
          params: { path: { id: connectionId } },
          body: { nodes: JSON.parse(asked) as string[] },
        }),
      ),
    enabled: asked !== '[]',
    refetchInterval: ({ state }) => (cannotTell(state.error) ? false : kEveryMs),
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: 0,
    gcTime: 0,
  });
  return useMemo(
    () =>
      isError || !data ? kNone : new Map(data.samples?.map((sample) => [sample.point, sample])),
    [data, isError],
  );
}
