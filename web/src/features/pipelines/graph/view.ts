import type { Tone } from '@/shared/ui';
import type { PipelineDocument, Position } from './model';

/** What is dragged from the palette onto the canvas: the name of a node type. */
export const dragType = 'application/x-tributary-node';

/** What a view shows of a node besides what it is. */
export interface NodeNote {
  tone: Tone;
  lines: string[];
}

/** What a view may do to the graph; without it the graph can only be looked at. */
export interface GraphEditing {
  connect: (from: string, port: string, to: string) => void;
  disconnect: (edgeIds: string[]) => void;
  add: (
    type: string,
    place: { after?: { id: string; port?: string }; position?: Position },
  ) => void;
  remove: (ids: string[]) => void;
  duplicate: (ids: string[]) => void;
  move: (positions: ReadonlyMap<string, Position>) => void;
}

/** Canvas and outline take the same: two views of one graph. */
export interface GraphViewProps {
  doc: PipelineDocument;
  selected: string | null;
  onSelect: (id: string | null) => void;
  notes: ReadonlyMap<string, NodeNote>;
  /** What flows, by edge id. */
  flows?: ReadonlyMap<string, string>;
  editing?: GraphEditing;
}
