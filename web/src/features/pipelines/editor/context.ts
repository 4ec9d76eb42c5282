import { createContext, useContext } from 'react';
import type { Finding } from '../graph/findings';
import type { GraphNode, PipelineDocument } from '../graph/model';
import type { Samples } from '../graph/samples';

export interface EditorValue {
  doc: PipelineDocument;
  /** Every change goes this way, so that each can be undone. Changes with one key, made in one go, are one step. */
  change: (doc: PipelineDocument, key?: string) => void;
  findings: Finding[];
  samples: Samples;
  /** The node whose panel is open. */
  node: GraphNode | null;
}

const EditorContext = createContext<EditorValue | null>(null);

export const EditorProvider = EditorContext.Provider;

export function useEditor(): EditorValue {
  const value = useContext(EditorContext);
  if (!value) throw new Error('A part of the pipeline editor was used outside of it');
  return value;
}
