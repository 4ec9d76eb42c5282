import { useEffect, useRef } from 'react';

/** A canvas that `paint` fills: again when `paint`, its size or the colours of the page change. */
export function usePainted(paint: (canvas: HTMLCanvasElement) => void) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const again = () => paint(element);
    again();
    const size = new ResizeObserver(again);
    size.observe(element);
    // Light, dark and high contrast are attributes of the root element.
    const colours = new MutationObserver(again);
    colours.observe(document.documentElement, { attributes: true });
    return () => {
      size.disconnect();
      colours.disconnect();
    };
  }, [paint]);
  return canvas;
}
