import type { FieldError } from '@/shared/form';
import { edgeId, type PipelineDocument } from './model';

export interface Finding extends FieldError {
  code?: string;
  severity: 'problem' | 'warning';
  /** The node it is about, and where in it; the document's own where absent. */
  nodeId?: string;
  edgeId?: string;
  /** Below the node or the edge; from the document's root otherwise. */
  below: string;
}

/** Findings of the hub with the nodes and edges that they are about: pointers count places, people look for names. */
export function place(
  doc: PipelineDocument,
  found: (FieldError & { code?: string })[],
  severity: Finding['severity'],
): Finding[] {
  return found.map((one) => {
    const match = one.pointer.match(/^\/(nodes|edges)\/(\d+)(.*)$/);
    const index = Number(match?.[2]);
    const below = match?.[3] ?? one.pointer;
    const node = match?.[1] === 'nodes' ? doc.nodes[index] : undefined;
    const edge = match?.[1] === 'edges' ? doc.edges[index] : undefined;
    if (node) return { ...one, severity, nodeId: node.id, below };
    // What is wrong with an edge is shown at the node it leaves.
    if (edge) return { ...one, severity, nodeId: edge.from, edgeId: edgeId(doc, edge), below };
    return { ...one, severity, below: one.pointer };
  });
}

/** Messages by pointer below the settings of one node: what its form shows. */
export function settingErrors(findings: Finding[], nodeId: string): Map<string, string> {
  const errors = new Map<string, string>();
  for (const { severity, nodeId: id, edgeId: onEdge, below, message } of findings) {
    if (severity !== 'problem' || id !== nodeId || onEdge) continue;
    if (below.startsWith('/settings/')) errors.set(below.slice('/settings'.length), message);
  }
  return errors;
}

/** Where in a text the hub found something: "line 3, column 12: …". */
export function placeInText(message: string): { line: number; column: number } | null {
  const match = message.match(/\bline (\d+)(?:, column (\d+))?/);
  return match ? { line: Number(match[1]), column: Number(match[2] ?? 1) } : null;
}
