import { type DragEvent, useState } from 'react';

export interface Dropping {
  /** How many rows would come. */
  count: number;
  /** `place`: among the rows that are shown; their number is the end. */
  onDrop: (place: number) => void;
}

/** The place a dragged thing would go to: between the lines of equal height under `top`, by the nearest edge. */
export const placeAt = (y: number, top: number, height: number, count: number): number =>
  Math.min(Math.max(Math.round((y - top) / height), 0), count);

/**
 * Takes what is dragged over an element. `place` tells where it would go now, null when it is not over it; `handlers` are the element's.
 */
export function useDrop(dropping: Dropping | null, placeOf: (event: DragEvent) => number) {
  const [over, setOver] = useState<number | null>(null);
  if (!dropping) return { place: null, handlers: {} };
  const handlers = {
    onDragOver: (event: DragEvent) => {
      event.preventDefault();
      event.dataTransfer.dropEffect = 'copy';
      setOver(placeOf(event));
    },
    onDragLeave: (event: DragEvent) => {
      const { relatedTarget } = event;
      if (!(relatedTarget instanceof Node && event.currentTarget.contains(relatedTarget)))
        setOver(null);
    },
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      setOver(null);
      dropping.onDrop(placeOf(event));
    },
  };
  return { place: over, handlers };
}
