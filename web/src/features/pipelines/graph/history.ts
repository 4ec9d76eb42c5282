import type { PipelineDocument } from './model';

/** A document with what was before and what was undone. */
export interface History {
  past: PipelineDocument[];
  present: PipelineDocument;
  future: PipelineDocument[];
  /** Of the last change: the next one with the same key joins it. */
  key: string | null;
  at: number;
}

export type HistoryAction =
  | { type: 'change'; doc: PipelineDocument; key?: string; at: number }
  | { type: 'undo' }
  | { type: 'redo' }
  | { type: 'reset'; doc: PipelineDocument };

const kSteps = 200;
const kJoinMs = 1500;

export const startHistory = (doc: PipelineDocument): History => ({
  past: [],
  present: doc,
  future: [],
  key: null,
  at: 0,
});

/** Undo and redo for every change. What is typed into one field is one step, as long as one goes on typing. */
export function historyReducer(history: History, action: HistoryAction): History {
  const { past, present, future } = history;
  switch (action.type) {
    case 'change': {
      if (action.doc === present) return history;
      const key = action.key ?? null;
      const joins = key !== null && key === history.key && action.at - history.at < kJoinMs;
      return {
        past: joins ? past : [...past, present].slice(-kSteps),
        present: action.doc,
        future: [],
        key,
        at: action.at,
      };
    }
    case 'undo': {
      const before = past.at(-1);
      if (!before) return history;
      return {
        past: past.slice(0, -1),
        present: before,
        future: [present, ...future],
        key: null,
        at: 0,
      };
    }
    case 'redo': {
      const [next, ...rest] = future;
      if (!next) return history;
      return { past: [...past, present], present: next, future: rest, key: null, at: 0 };
    }
    case 'reset':
      return startHistory(action.doc);
  }
}
