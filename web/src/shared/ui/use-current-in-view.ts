import { useEffect, useRef } from 'react';
import { useLocation } from 'react-router';

/** For links side by side that may be wider than the page: the one to the current page is in the middle, as far as it can be. */
export function useCurrentInView<T extends HTMLElement>() {
  const { pathname } = useLocation();
  const ref = useRef<T>(null);
  useEffect(() => {
    void pathname;
    const row = ref.current;
    if (!row) return;
    const place = () => {
      const link = row.querySelector('[aria-current="page"]')?.getBoundingClientRect();
      if (!link) return;
      const { left, width } = row.getBoundingClientRect();
      row.scrollLeft += link.left + link.width / 2 - left - width / 2;
    };
    place();
    // A count that comes later moves what stands beside it.
    const observer = new ResizeObserver(place);
    for (const child of row.children) observer.observe(child);
    return () => observer.disconnect();
  }, [pathname]);
  return ref;
}
