import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type JsonObject, same, withDefaults } from '@/shared/form';
import { notifyDone, notifyFailed } from '@/shared/ui';
import type { Cursor, GridCommands } from './PointGrid';
import {
  type Column,
  cellText,
  cellValue,
  copyText,
  duplicate,
  type PointSchema,
  paste,
  removeRows,
  setCell,
} from './rows';
import { useUndo } from './use-undo';

function useShown(rows: readonly JsonObject[], filter: string): number[] {
  return useMemo(() => {
    const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
    const places = rows.map((_, index) => index);
    if (words.length === 0) return places;
    return places.filter((index) => {
      const text = Object.values(rows[index] ?? {})
        .map(cellText)
        .join(' ')
        .toLowerCase();
      return words.every((word) => text.includes(word));
    });
  }, [rows, filter]);
}

/** A row to begin with: what must be there and has a default. */
function newRow({ items, root }: PointSchema): JsonObject {
  const filled = (withDefaults(items, {}, root) ?? {}) as JsonObject;
  const needed = items.required ?? [];
  return Object.fromEntries(Object.entries(filled).filter(([name]) => needed.includes(name)));
}

interface TableOptions {
  point: PointSchema;
  rows: JsonObject[];
  columns: readonly Column[];
  /** Most rows. */
  limit: number;
  onChange: (rows: JsonObject[]) => void;
}

/** What is shown and chosen of a list of points, and everything that can be done to it; each is one step to take back. */
export function useTable({ point, rows, columns, limit, onChange }: TableOptions) {
  const { t } = useTranslation();
  const history = useUndo<JsonObject[]>(rows, onChange);
  const [filter, setFilter] = useState('');
  const [cursor, setCursor] = useState<Cursor>({ row: 0, column: 0, anchor: 0 });
  const shown = useShown(rows, filter);
  const last = Math.max(0, shown.length - 1);
  const at: Cursor = {
    row: Math.min(cursor.row, last),
    column: Math.min(cursor.column, columns.length - 1),
    anchor: Math.min(cursor.anchor, last),
  };
  const chosen = shown.slice(Math.min(at.row, at.anchor), Math.max(at.row, at.anchor) + 1);
  const current = shown[at.row];

  const change = (next: JsonObject[], key?: string): boolean => {
    if (next.length > limit) {
      const counts = { count: next.length, limit };
      notifyFailed(t('error.failed'), t('points.tooMany', counts));
      return false;
    }
    history.change(next, key);
    return true;
  };
  const select = (first: number, count: number) =>
    setCursor({ row: first + Math.max(0, count - 1), column: at.column, anchor: first });
  /** New rows before the one at `place`, chosen. */
  const insert = (place: number, added: JsonObject[]) => {
    if (!change([...rows.slice(0, place), ...added, ...rows.slice(place)])) return;
    setFilter('');
    select(place, added.length);
  };
  const append = (added: JsonObject[]) => insert(rows.length, added);
  const replace = (index: number, row: JsonObject, key?: string) =>
    change(
      rows.map((old, place) => (place === index ? row : old)),
      key,
    );
  const commands: GridCommands = {
    commit: (index, column, text) => {
      const row = rows[index];
      const next = cellValue(column.schema, text);
      if (row && !same(row[column.name], next)) replace(index, setCell(row, column.name, next));
    },
    clear: () => {
      const name = columns[at.column]?.name ?? '';
      const places = new Set(chosen);
      change(rows.map((row, index) => (places.has(index) ? setCell(row, name, undefined) : row)));
    },
    add: () => append([newRow(point)]),
    duplicate: () => {
      if (chosen.length === 0 || !change(duplicate(rows, chosen, point.key))) return;
      if (filter === '') select((chosen.at(-1) ?? 0) + 1, chosen.length);
    },
    remove: () => {
      if (chosen.length === 0) return;
      change(removeRows(rows, chosen));
      select(Math.min(at.row, at.anchor), 1);
    },
    undo: history.undo,
    redo: history.redo,
    copy: () =>
      copyText(
        chosen.map((index) => rows[index] ?? {}),
        point,
      ),
    paste: (text) => {
      const places = shown.slice(at.row);
      const pasted = paste(rows, text, point, { places, column: at.column, columns });
      if (pasted.count === 0 || !change(pasted.rows)) return;
      if (filter === '') select(pasted.first, pasted.count);
      notifyDone(t('points.pasted', { count: pasted.count }));
    },
  };
  return {
    filter,
    setFilter,
    shown,
    cursor: at,
    setCursor,
    chosen,
    current,
    commands,
    append,
    insert,
    replace,
  };
}
