import { useEffect } from 'react';
import { useLocation } from 'react-router';

const kKey = 'tributary-recent';
const kKept = 6;

/** The connections and pipelines that were looked at last, newest first, by their addresses. */
export function recentPages(): string[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(kKey) ?? '[]');
    return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
  } catch {
    return [];
  }
}

/** Remembers what is looked at. Mounted once, by the shell. */
export function useRememberPages(): void {
  const { pathname } = useLocation();
  useEffect(() => {
    const [page] = /^\/(connections|pipelines)\/(?!new(\/|$))[^/]+/.exec(pathname) ?? [];
    if (!page) return;
    const others = recentPages().filter((one) => one !== page);
    localStorage.setItem(kKey, JSON.stringify([page, ...others].slice(0, kKept)));
  }, [pathname]);
}
