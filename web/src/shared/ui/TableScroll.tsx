import { type ReactNode, useEffect, useRef, useState } from 'react';
import ui from './ui.module.css';

/** Around a table that may be wider than the page: it scrolls by itself, with the keyboard as well. */
export function TableScroll({ children }: { children: ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  const [scrolls, setScrolls] = useState(false);
  useEffect(() => {
    const { current } = box;
    if (!current) return;
    const measure = () => setScrolls(current.scrollWidth > current.clientWidth);
    const observer = new ResizeObserver(measure);
    observer.observe(current);
    for (const child of current.children) observer.observe(child);
    return () => observer.disconnect();
  }, []);
  return (
    // What does not scroll is no stop on the way of the Tab key.
    <div ref={box} className={ui.tableScroll} tabIndex={scrolls ? 0 : undefined}>
      {children}
    </div>
  );
}
