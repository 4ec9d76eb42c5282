import type { ReactNode } from 'react';
import classes from './ui.module.css';
import { useCurrentInView } from './use-current-in-view';

/** Links to the parts of a page. */
export function Tabs({ label, children }: { label: string; children: ReactNode }) {
  return (
    <nav ref={useCurrentInView<HTMLElement>()} className={classes.tabs} aria-label={label}>
      {children}
    </nav>
  );
}
