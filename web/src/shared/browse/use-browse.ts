import { useCallback, useEffect, useRef, useState } from 'react';
import { api, ask } from '@/shared/api';
import {
  arrived,
  type Branches,
  begun,
  failed,
  keyOf,
  kMaxWalked,
  kPage,
  kRoot,
  loadedNodes,
} from './model';

interface Place {
  key: string;
  /** The parent's node id; absent for the root. */
  node?: string;
  path: string[];
}

export const kRootPlace: Place = { key: kRoot, path: [] };

/** The loaded part of a peer's address space, and how to load more of it. */
export function useBrowse(connectionId: string) {
  const [branches, setBranches] = useState<Branches>(new Map());
  const [walking, setWalking] = useState(false);
  const latest = useRef(branches);
  const walk = useRef(0);

  const put = useCallback((next: Branches) => {
    latest.current = next;
    setBranches(next);
  }, []);

  const load = useCallback(
    async ({ key, node, path }: Place): Promise<boolean> => {
      const branch = latest.current.get(key);
      if (branch?.pending) return false;
      const cursor = branch?.next ?? undefined;
      put(begun(latest.current, key));
      try {
        const page = await ask(
          api.GET('/connections/{id}/browse', {
            params: {
              path: { id: connectionId },
              query: { ...(node === undefined ? {} : { node }), cursor, limit: kPage },
            },
          }),
        );
        put(arrived(latest.current, key, path, page));
        return true;
      } catch (error) {
        put(failed(latest.current, key, error));
        return false;
      }
    },
    [connectionId, put],
  );

  const stopWalk = useCallback(() => {
    walk.current += 1;
    setWalking(false);
  }, []);

  /** Loads level by level everything that is not known yet, one request at a time, until told to stop or at the bound. */
  const walkAll = useCallback(async () => {
    const mine = ++walk.current;
    setWalking(true);
    const seen = new Set<string>();
    const places: Place[] = [kRootPlace];
    for (let place = places.shift(); place; place = places.shift()) {
      for (;;) {
        if (walk.current !== mine) return;
        if (loadedNodes(latest.current).length >= kMaxWalked) return stopWalk();
        const branch = latest.current.get(place.key);
        if (branch && branch.next === null && branch.error === null) break;
        if (!(await load(place))) break;
      }
      const { key } = place;
      for (const child of latest.current.get(key)?.nodes ?? []) {
        if (!child.hasChildren || seen.has(child.id)) continue;
        seen.add(child.id);
        places.push({ key: keyOf(key, child), node: child.id, path: child.path });
      }
    }
    if (walk.current === mine) setWalking(false);
  }, [load, stopWalk]);

  useEffect(() => {
    put(new Map());
    void load(kRootPlace);
    return () => {
      walk.current += 1;
    };
  }, [load, put]);

  return { branches, load, walking, walkAll, stopWalk };
}
