import { useEffect, useRef } from 'react';
import { usePreferences } from '@/shared/preferences';
import { ui } from '@/shared/ui';

const kTakesText = 'input, textarea, select, [contenteditable], [role="textbox"], .cm-editor';

/** Where the keys go now; a shadow root's own focus counts. */
function focused(): Element | null {
  let here = document.activeElement;
  while (here?.shadowRoot?.activeElement) here = here.shadowRoot.activeElement;
  return here;
}

function toSearch(event: KeyboardEvent): void {
  const field = document.querySelector<HTMLInputElement>(`main .${ui.search} input`);
  if (!field) return;
  event.preventDefault();
  field.focus();
}

/** Ctrl-K anywhere; `?` and `/` where no text is being written, and only when the person wants keys of that kind. */
export function useShortcuts(actions: { palette: () => void; help: () => void }): void {
  const { singleKeys } = usePreferences();
  const latest = useRef(actions);
  useEffect(() => {
    latest.current = actions;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        latest.current.palette();
        return;
      }
      const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
      const here = focused();
      const writing = here?.matches(kTakesText) || here?.closest('[role="dialog"]');
      if (!singleKeys || !plain || writing) return;
      if (event.key === '?') latest.current.help();
      if (event.key === '/') toSearch(event);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [singleKeys]);
}
