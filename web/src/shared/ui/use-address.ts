import { useCallback, useEffect, useRef } from 'react';
import { useSearchParams } from 'react-router';

export interface Address {
  params: URLSearchParams;
  change: (edit: (params: URLSearchParams) => void) => void;
  clear: () => void;
}

/** What the page keeps in its address. Two changes in a row are both kept: the router takes over an address only with the next picture. */
export function useAddress(): Address {
  const [params, setParams] = useSearchParams();
  const newest = useRef(params);
  useEffect(() => {
    newest.current = params;
  }, [params]);
  const change = useCallback<Address['change']>(
    (edit) => {
      const next = new URLSearchParams(newest.current);
      edit(next);
      newest.current = next;
      setParams(next, { replace: true, flushSync: true });
    },
    [setParams],
  );
  const clear = useCallback(
    () =>
      change((next) => {
        for (const name of [...next.keys()]) next.delete(name);
      }),
    [change],
  );
  return { params, change, clear };
}
