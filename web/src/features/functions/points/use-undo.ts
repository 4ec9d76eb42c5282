import { useRef, useState } from 'react';

const kSteps = 100;

/**
 * Undo and redo for a value that lives elsewhere (in a form): what it was is kept here, what it is there. The values share
 * their rows, so a hundred steps of a long list cost little. Changes in a row with the same key are one step: what is typed
 * into one field.
 */
export function useUndo<T>(value: T, onChange: (value: T) => void) {
  const past = useRef<T[]>([]);
  const future = useRef<T[]>([]);
  const lastKey = useRef<string | null>(null);
  const [, setCount] = useState(0);
  const put = (next: T, key: string | null) => {
    lastKey.current = key;
    setCount((old) => old + 1);
    onChange(next);
  };
  const change = (next: T, key: string | null = null) => {
    if (next === value) return;
    if (key === null || key !== lastKey.current)
      past.current = [...past.current, value].slice(-kSteps);
    future.current = [];
    put(next, key);
  };
  const undo = () => {
    const before = past.current.pop();
    if (before === undefined) return;
    future.current.push(value);
    put(before, null);
  };
  const redo = () => {
    const next = future.current.pop();
    if (next === undefined) return;
    past.current.push(value);
    put(next, null);
  };
  return {
    change,
    undo: past.current.length > 0 ? undo : null,
    redo: future.current.length > 0 ? redo : null,
  };
}
