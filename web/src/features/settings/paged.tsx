import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import classes from './settings.module.css';

interface Answer<T> {
  items: T[];
  next: string | null;
}

/** A list that comes page by page. */
export function usePages<T>(
  key: readonly unknown[],
  ask: (cursor: string | undefined) => Promise<Answer<T>>,
) {
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => ask(pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: (before) => before,
  });
  return { ...query, items: query.data?.pages.flatMap((page) => page.items) };
}

/** Below such a list, while there is more of it. */
export function More({
  query,
}: {
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
}) {
  const { t } = useTranslation();
  if (!query.hasNextPage) return null;
  return (
    <div className={classes.foot}>
      <Button
        variant="default"
        loading={query.isFetchingNextPage}
        onClick={() => void query.fetchNextPage()}
      >
        {t('settings.more')}
      </Button>
    </div>
  );
}
