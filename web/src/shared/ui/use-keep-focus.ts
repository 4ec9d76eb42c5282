import { type FocusEvent, useEffect, useRef } from 'react';

/** For buttons that come and go with a status: when the one with the focus goes, the group that it stood in has it. */
export function useKeepFocus<T extends HTMLElement>() {
  const ref = useRef<T>(null);
  const inside = useRef(false);
  useEffect(() => {
    if (inside.current && document.activeElement === document.body)
      ref.current?.focus({ preventScroll: true });
  });
  return {
    ref,
    tabIndex: -1,
    onFocus: () => {
      inside.current = true;
    },
    onBlur: ({ target }: FocusEvent<T>) => {
      // What is taken away or disabled loses the focus without anybody having moved it.
      queueMicrotask(() => {
        inside.current = !target.isConnected || target.matches(':disabled');
      });
    },
  };
}
