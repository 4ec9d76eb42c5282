import { useEffect, useState } from 'react';

/** What one comes back to: of an entry of a menu, which is gone by then, what opens the menu. */
function openerNow(): HTMLElement | null {
  const here = document.activeElement;
  if (!(here instanceof HTMLElement)) return null;
  const menu = here.closest('[role="menu"]')?.getAttribute('aria-labelledby');
  return menu ? document.getElementById(menu) : here;
}

/**
 * For what covers the page for a while: when it goes, the focus is where it was before; where that is gone, too, at the content.
 * Focus that somebody has moved elsewhere meanwhile stays.
 */
export function useReturnFocus(): void {
  const [opener] = useState(openerNow);
  useEffect(
    () => () => {
      if (document.activeElement !== null && document.activeElement !== document.body) return;
      if (opener?.isConnected) opener.focus({ preventScroll: true });
      if (document.activeElement === document.body)
        document.getElementById('content')?.focus({ preventScroll: true });
    },
    [opener],
  );
}
