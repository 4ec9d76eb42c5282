import { useEffect, useRef } from 'react';
import { useLocation } from 'react-router';

/** For links side by side that may be wider than the page: the one to the current page is in the middle, as far as it can be. */
export function useCurrentInView<T extends HTMLElement>() {
  const { pathname } = useLocation();
  const row = useRef<T>(null);
  useEffect(() => {
    void pathname;
    const current = row.current?.querySelector('[aria-current="page"]');
    if (!row.current || !current) return;
    const { left, width } = row.current.getBoundingClientRect();
    const link = current.getBoundingClientRect();
    row.current.scrollLeft += link.left + link.width / 2 - left - width / 2;
  }, [pathname]);
  return row;
}
