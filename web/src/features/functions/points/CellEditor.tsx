import { type KeyboardEvent, useRef } from 'react';
import classes from './points.module.css';
import type { Column } from './rows';

/** Null: nothing is to change. The move is where the cursor goes then; null when the focus went elsewhere by itself. */
export type CellDone = (
  text: string | null,
  move: 'down' | 'right' | 'left' | 'stay' | null,
) => void;

interface CellEditorProps {
  column: Column;
  initial: string;
  onDone: CellDone;
}

/** The input in a cell that is being edited: a choice where the column has one, else a text. */
export function CellEditor({ column, initial, onDone }: CellEditorProps) {
  const over = useRef(false);
  const finish: CellDone = (text, move) => {
    // Taking the focus away tells of a blur, which is not a second end.
    if (over.current) return;
    over.current = true;
    onDone(text, move);
  };
  const keyDown = (event: KeyboardEvent<HTMLInputElement | HTMLSelectElement>) => {
    event.stopPropagation();
    const { value } = event.currentTarget;
    if (event.key === 'Enter') finish(value, 'down');
    else if (event.key === 'Tab') finish(value, event.shiftKey ? 'left' : 'right');
    else if (event.key === 'Escape') finish(null, 'stay');
    else return;
    event.preventDefault();
  };
  const { schema, label } = column;
  const options = schema.enum ?? (schema.type === 'boolean' ? [true, false] : null);
  // A placeholder is typed; a choice is offered for what is chosen.
  if (options && (initial === '' || options.some((one) => String(one).startsWith(initial)))) {
    const first = options.find((one) => String(one).startsWith(initial));
    return (
      <select
        // biome-ignore lint/a11y/noAutofocus: an editor opens where one is, because one asked for it
        autoFocus
        className={classes.editor}
        aria-label={label}
        defaultValue={initial === '' ? '' : String(first)}
        onKeyDown={keyDown}
        onBlur={(event) => finish(event.currentTarget.value, null)}
      >
        <option value="">–</option>
        {options.map((one) => (
          <option key={String(one)} value={String(one)}>
            {schema['x-enumTitles']?.[String(one)] ?? String(one)}
          </option>
        ))}
      </select>
    );
  }
  return (
    <input
      // biome-ignore lint/a11y/noAutofocus: an editor opens where one is, because one asked for it
      autoFocus
      className={classes.editor}
      aria-label={label}
      defaultValue={initial}
      spellCheck={false}
      autoComplete="off"
      onKeyDown={keyDown}
      onBlur={(event) => finish(event.currentTarget.value, null)}
    />
  );
}
