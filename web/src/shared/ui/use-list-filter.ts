import { useMemo } from 'react';
import { useAddress } from './use-address';

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
  const { params, change, clear } = useAddress();
  const search = params.get('q') ?? '';
  const status = params.get('status');
  const set = (name: string, value: string | null) =>
    change((next) => (value ? next.set(name, value) : next.delete(name)));
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
  return { search, status, params, set, showAll: clear, shown };
}
