import { useMemo } from 'react';
import { useSearchParams } from 'react-router';

interface Listed {
  name: string;
  state: { status: string };
}

const byName = new Intl.Collator(undefined, { numeric: true });

/**
 * What of a list is shown: by the words that are searched for in `textOf(one)` and by a status, both kept in the address. Sorted by
 * name. `textOf` must not change from one render to the next.
 */
export function useListFilter<T extends Listed>(
  all: readonly T[] | undefined,
  textOf: (one: T) => string,
) {
  const [params, setParams] = useSearchParams();
  const search = params.get('q') ?? '';
  const status = params.get('status');
  // At once: the next letter must find the field as this one left it.
  const set = (name: 'q' | 'status', value: string | null) =>
    setParams(
      (old) => {
        if (value) old.set(name, value);
        else old.delete(name);
        return old;
      },
      { replace: true, flushSync: true },
    );
  const shown = useMemo(() => {
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    return (all ?? [])
      .filter((one) => {
        const text = textOf(one).toLowerCase();
        return (
          words.every((word) => text.includes(word)) && (!status || one.state.status === status)
        );
      })
      .sort((a, b) => byName.compare(a.name, b.name));
  }, [all, textOf, search, status]);
  return { search, status, set, showAll: () => setParams({}, { replace: true }), shown };
}
