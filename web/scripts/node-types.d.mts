import type { NodeType } from '../src/features/pipelines/graph/catalog';

export function nodeTypes(): NodeType[];
export function print(types: NodeType[]): string;
