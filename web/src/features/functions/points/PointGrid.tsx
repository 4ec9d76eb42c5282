// biome-ignore-all lint/a11y/useSemanticElements: a table element cannot draw only what is seen of ten thousand rows
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus and tells which cell is meant (aria-activedescendant)
import { IconAlertTriangle } from '@tabler/icons-react';
import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual';
import {
  type ClipboardEvent,
  type KeyboardEvent,
  type MouseEvent,
  memo,
  useEffect,
  useId,
  useRef,
  useState,
} from 'react';
import { useTranslation } from 'react-i18next';
import type { JsonObject } from '@/shared/form';
import { isShown, withDefaults } from '@/shared/form/resolve';
import { ui } from '@/shared/ui';
import { type CellDone, CellEditor } from './CellEditor';
import classes from './points.module.css';
import { type Column, cellText, type PointSchema } from './rows';
import { type Dropping, placeAt, useDrop } from './use-drop';

/** The cursor, and where the choice of rows began; both count what is shown. */
export interface Cursor {
  row: number;
  column: number;
  anchor: number;
}

/** Messages by row and member. */
export type Problems = ReadonlyMap<number, ReadonlyMap<string, string>>;

export interface GridCommands {
  commit: (row: number, column: Column, text: string) => void;
  clear: () => void;
  add: () => void;
  duplicate: () => void;
  remove: () => void;
  undo: (() => void) | null;
  redo: (() => void) | null;
  copy: () => string;
  paste: (text: string) => void;
}

interface GridProps {
  label: string;
  point: PointSchema;
  rows: readonly JsonObject[];
  /** The rows that are shown, by their place in `rows`. */
  shown: readonly number[];
  columns: readonly Column[];
  problems: Problems;
  cursor: Cursor;
  onCursor: (cursor: Cursor) => void;
  commands: GridCommands;
  /** What is dragged and may be dropped between the rows. */
  dropping: Dropping | null;
}

const kRowHeight = 30;
const kPage = 12;

const kNumberRem = 3.5;

/** The least width of a column. Free texts (names, addresses of other systems) are long, choices and numbers are not. */
const remOf = ({ schema }: Column): number =>
  schema.type === 'string' && !schema.enum && (schema.maxLength ?? 1000) > 40 ? 13 : 7.5;

interface RowProps {
  row: JsonObject;
  index: number;
  at: number;
  top: number;
  gridId: string;
  point: PointSchema;
  columns: readonly Column[];
  template: string;
  problems: ReadonlyMap<string, string> | undefined;
  chosen: boolean;
  /** The cursor's column, where the cursor is in this row. */
  cursor: number | null;
  /** The text that the editor begins with. */
  editing: string | null;
  onMouse: (event: MouseEvent, row: number, column: number, action: 'go' | 'edit') => void;
  onDone: CellDone;
}

const Row = memo(function Row(props: RowProps) {
  const { t } = useTranslation();
  const { row, index, at, gridId, point, columns, problems, cursor, editing } = props;
  const filled = withDefaults(point.items, row, point.root) as JsonObject;
  return (
    <div
      role="row"
      aria-rowindex={at + 2}
      aria-selected={props.chosen}
      className={classes.row}
      style={{ transform: `translateY(${props.top}px)`, gridTemplateColumns: props.template }}
    >
      <div
        role="rowheader"
        className={classes.number}
        data-bad={problems !== undefined}
        onMouseDown={(event) => props.onMouse(event, at, cursor ?? 0, 'go')}
      >
        {problems && <IconAlertTriangle size={13} aria-label={t('points.hasProblem')} />}
        {index + 1}
      </div>
      {columns.map((column, place) => {
        const { name, schema } = column;
        const value = row[name];
        const problem = problems?.get(name);
        const usable = isShown(schema, filled);
        const given = value ?? (usable ? schema.default : undefined);
        return (
          <div
            key={name}
            id={`${gridId}-${at}-${place}`}
            role="gridcell"
            aria-colindex={place + 2}
            aria-invalid={problem !== undefined}
            className={classes.cell}
            data-default={value === undefined}
            data-unused={!usable}
            data-cursor={place === cursor}
            data-number={schema.type === 'integer' || schema.type === 'number'}
            title={problem ?? cellText(value)}
            onMouseDown={(event) => props.onMouse(event, at, place, 'go')}
            onDoubleClick={(event) => props.onMouse(event, at, place, 'edit')}
          >
            {editing !== null && place === cursor ? (
              <CellEditor column={column} initial={editing} onDone={props.onDone} />
            ) : (
              <>
                {schema['x-enumTitles']?.[String(given)] ?? cellText(given)}
                {problem && <span className={ui.hidden}>{problem}</span>}
              </>
            )}
          </div>
        );
      })}
    </div>
  );
});

const clamp = (value: number, count: number): number => Math.min(Math.max(value, 0), count - 1);

/** What the keys do that need no letter typed; true when the key was one of them. */
function handledByCommand(event: KeyboardEvent, commands: GridCommands): boolean {
  const control = event.ctrlKey || event.metaKey;
  const key = event.key.toLowerCase();
  if (control && key === 'z' && !event.shiftKey) commands.undo?.();
  else if (control && (key === 'y' || (key === 'z' && event.shiftKey))) commands.redo?.();
  else if (control && key === 'd') commands.duplicate();
  else if (control && (key === 'delete' || key === 'backspace')) commands.remove();
  else if (!control && key === 'insert') commands.add();
  else if (!control && (key === 'delete' || key === 'backspace')) commands.clear();
  else return false;
  return true;
}

/** Where a key takes the cursor; null when it does not move it. */
function moved(event: KeyboardEvent, cursor: Cursor, rows: number, columns: number) {
  const far = event.ctrlKey || event.metaKey;
  const { row, column } = cursor;
  switch (event.key) {
    case 'ArrowDown':
      return { row: far ? rows - 1 : row + 1, column };
    case 'ArrowUp':
      return { row: far ? 0 : row - 1, column };
    case 'ArrowRight':
      return { row, column: far ? columns - 1 : column + 1 };
    case 'ArrowLeft':
      return { row, column: far ? 0 : column - 1 };
    case 'Home':
      return { row: far ? 0 : row, column: 0 };
    case 'End':
      return { row: far ? rows - 1 : row, column: columns - 1 };
    case 'PageDown':
      return { row: row + kPage, column };
    case 'PageUp':
      return { row: row - kPage, column };
    default:
      return null;
  }
}

/**
 * Ten thousand points as a grid of cells, of which only those in view are drawn. One stop for Tab; arrows move, typing or Enter
 * edits, Shift chooses rows, and the clipboard works as in a spreadsheet.
 */
export function PointGrid(props: GridProps) {
  const { t } = useTranslation();
  const { point, rows, shown, columns, problems, cursor, onCursor, commands } = props;
  const gridId = useId();
  const frame = useRef<HTMLDivElement>(null);
  const [editing, setEditing] = useState<string | null>(null);
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => frame.current,
    estimateSize: () => kRowHeight,
    overscan: 8,
    // The row with the cursor is always there, for those who have it read to them.
    rangeExtractor: (range) => {
      const seen = defaultRangeExtractor(range);
      return seen.includes(cursor.row) || cursor.row >= shown.length
        ? seen
        : [...seen, cursor.row].sort((a, b) => a - b);
    },
  });
  const widths = columns.map(remOf);
  const template = `${kNumberRem}rem ${widths.map((rem) => `minmax(${rem}rem, ${rem}fr)`).join(' ')}`;
  const least = `${widths.reduce((sum, rem) => sum + rem, kNumberRem)}rem`;
  const activeId = `${gridId}-${cursor.row}-${cursor.column}`;
  const body = useRef<HTMLDivElement>(null);
  const drop = useDrop(props.dropping, (event) =>
    placeAt(
      event.clientY,
      body.current?.getBoundingClientRect().top ?? 0,
      kRowHeight,
      shown.length,
    ),
  );

  useEffect(() => {
    if (frame.current?.contains(document.activeElement))
      document.getElementById(activeId)?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [activeId]);

  const go = (to: { row: number; column: number }, extend: boolean) => {
    const row = clamp(to.row, shown.length);
    const column = clamp(to.column, columns.length);
    onCursor({ row, column, anchor: extend ? cursor.anchor : row });
  };
  const edit = (text?: string) => {
    const name = columns[cursor.column]?.name ?? '';
    const row = rows[shown[cursor.row] ?? -1];
    if (row) setEditing(text ?? cellText(row[name]));
  };
  const done: CellDone = (text, move) => {
    const column = columns[cursor.column];
    const index = shown[cursor.row];
    setEditing(null);
    if (text !== null && column && index !== undefined) commands.commit(index, column, text);
    if (move === null) return;
    frame.current?.focus();
    const { row, column: place } = cursor;
    if (move === 'down') go({ row: row + 1, column: place }, false);
    else if (move !== 'stay') go({ row, column: place + (move === 'right' ? 1 : -1) }, false);
  };
  // The rows are drawn anew only when something of theirs changes; what they call must not be a reason.
  const latest = useRef({ go, edit, done });
  latest.current = { go, edit, done };
  const [handlers] = useState(() => ({
    onMouse: ((event, row, column, action) => {
      if ((event.target as Element).matches('input, select, option')) return;
      event.preventDefault();
      frame.current?.focus();
      if (action === 'edit') latest.current.edit();
      else latest.current.go({ row, column }, event.shiftKey);
    }) as RowProps['onMouse'],
    onDone: ((text, move) => latest.current.done(text, move)) as CellDone,
  }));

  const keyDown = (event: KeyboardEvent) => {
    if (editing !== null || event.altKey) return;
    const to = moved(event, cursor, shown.length, columns.length);
    const control = event.ctrlKey || event.metaKey;
    if (to) go(to, event.shiftKey);
    else if (control && event.key.toLowerCase() === 'a')
      onCursor({ ...cursor, row: shown.length - 1, anchor: 0 });
    else if (event.key === 'Enter' || event.key === 'F2') edit();
    else if (event.key.length === 1 && !control) edit(event.key);
    else if (!handledByCommand(event, commands)) return;
    event.preventDefault();
  };
  const clipboard = (event: ClipboardEvent, take: () => void) => {
    if (editing !== null) return;
    event.preventDefault();
    take();
  };
  const low = Math.min(cursor.anchor, cursor.row);
  const high = Math.max(cursor.anchor, cursor.row);
  return (
    <div
      ref={frame}
      role="grid"
      tabIndex={0}
      className={classes.grid}
      aria-label={props.label}
      aria-rowcount={shown.length + 1}
      aria-colcount={columns.length + 1}
      aria-multiselectable
      aria-activedescendant={shown.length > 0 ? activeId : undefined}
      data-invalid={problems.size > 0}
      {...drop.handlers}
      onKeyDown={keyDown}
      onCopy={(event) =>
        clipboard(event, () => event.clipboardData.setData('text/plain', commands.copy()))
      }
      onCut={(event) =>
        clipboard(event, () => {
          event.clipboardData.setData('text/plain', commands.copy());
          commands.remove();
        })
      }
      onPaste={(event) =>
        clipboard(event, () => commands.paste(event.clipboardData.getData('text/plain')))
      }
    >
      <div style={{ minWidth: least }}>
        <div
          role="row"
          aria-rowindex={1}
          className={classes.heads}
          style={{ gridTemplateColumns: template }}
        >
          <div role="columnheader" className={classes.number}>
            <span className={ui.hidden}>{t('points.number')}</span>
          </div>
          {columns.map(({ name, label, schema, required }) => (
            <div key={name} role="columnheader" className={classes.head} title={schema.description}>
              {label}
              {required && <span aria-hidden> *</span>}
              {schema['x-unit'] && <span className={classes.unit}> {schema['x-unit']}</span>}
            </div>
          ))}
        </div>
        <div
          ref={body}
          role="rowgroup"
          className={classes.body}
          style={{ height: virtual.getTotalSize() }}
        >
          {virtual.getVirtualItems().map((item) => {
            const index = shown[item.index];
            const row = index === undefined ? undefined : rows[index];
            if (index === undefined || !row) return null;
            const here = item.index === cursor.row;
            return (
              <Row
                key={item.index}
                row={row}
                index={index}
                at={item.index}
                top={item.start}
                gridId={gridId}
                point={point}
                columns={columns}
                template={template}
                problems={problems.get(index)}
                chosen={item.index >= low && item.index <= high}
                cursor={here ? cursor.column : null}
                editing={here ? editing : null}
                {...handlers}
              />
            );
          })}
          {drop.place !== null && (
            <div
              className={classes.drop}
              style={{ transform: `translateY(${drop.place * kRowHeight - 1}px)` }}
              aria-hidden
            >
              <span>{t('points.dropHere', { count: props.dropping?.count ?? 0 })}</span>
            </div>
          )}
        </div>
      </div>
    </div>
  );
}
