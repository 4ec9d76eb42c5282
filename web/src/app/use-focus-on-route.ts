import { type RefObject, useEffect, useRef } from 'react';
import { useLocation } from 'react-router';

/**
 * After a change of page the keyboard goes on in the new page, not at a link that is gone or back in the navigation. What has taken
 * the focus within the content or in a dialog keeps it: the first field of a form, the tab that was chosen.
 */
export function useFocusOnRoute(content: RefObject<HTMLElement | null>): void {
  const { pathname } = useLocation();
  const before = useRef(pathname);
  useEffect(() => {
    const main = content.current;
    if (before.current === pathname || !main) return;
    before.current = pathname;
    const here = document.activeElement;
    if (here !== main && (main.contains(here) || here?.closest('[role="dialog"]'))) return;
    main.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [pathname, content]);
}
