import '@xyflow/react/dist/base.css';
import {
  applyNodeChanges,
  Background,
  Controls,
  type Edge,
  Handle,
  MarkerType,
  type Node,
  type NodeChange,
  type NodeProps,
  ReactFlow,
  type ReactFlowProps,
  ReactFlowProvider,
  Position as Side,
  useReactFlow,
} from '@xyflow/react';
import { type DragEvent, memo, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { portsOf } from './catalog';
import classes from './graph.module.css';
import { iconOf } from './icons';
import { nodeSize, positionsOf } from './layout';
import {
  edgeId,
  type GraphNode,
  isTrigger,
  nameOf,
  type PipelineDocument,
  type Position,
  portOf,
  refusal,
} from './model';
import { dragType, type GraphViewProps, type NodeNote } from './view';

type CanvasNode = Node<{ node: GraphNode; note: NodeNote | undefined }, 'step'>;

const Step = memo(function Step({ data, selected }: NodeProps<CanvasNode>) {
  const { node, note } = data;
  const Icon = iconOf(node.type);
  const ports = portsOf(node);
  return (
    <div className={classes.node} data-selected={selected} data-tone={note?.tone}>
      {!isTrigger(node) && <Handle type="target" position={Side.Left} />}
      <Icon size={20} className={classes.nodeIcon} aria-hidden />
      <div className={classes.nodeText}>
        <strong>{nameOf(node)}</strong>
        <span>{node.id}</span>
        {note?.lines.map((line) => (
          <span key={line} className={classes.note}>
            {line}
          </span>
        ))}
      </div>
      {ports.map((port, index) => (
        <Handle
          key={port}
          id={port}
          type="source"
          position={Side.Right}
          title={port}
          style={{ top: `${((index + 1) / (ports.length + 1)) * 100}%` }}
        />
      ))}
    </div>
  );
});

const nodeKinds = { step: Step };
const kWholeView = { maxZoom: 1, padding: 0.15 };
const kDeleteKeys = ['Delete', 'Backspace'];
// Three hundred nodes must fit.
const kMinZoom = 0.05;

type Handlers = Required<
  Pick<
    ReactFlowProps<CanvasNode>,
    | 'onNodesChange'
    | 'onEdgesChange'
    | 'onPaneClick'
    | 'onConnect'
    | 'isValidConnection'
    | 'onBeforeDelete'
    | 'onDragOver'
    | 'onDrop'
  >
>;

/**
 * Functions that never change and call the newest ones. React Flow puts every property that changed into its store, one by one,
 * and each time every node and edge looks at all of it: with functions of every render, a drag of one node would cost that eight times a frame.
 */
function useSteady<T extends object>(newest: T): T {
  const latest = useRef(newest);
  latest.current = newest;
  const [steady] = useState(() => {
    const names = Object.keys(newest) as (keyof T)[];
    const calls = names.map((name) => [
      name,
      (...given: unknown[]) => (latest.current[name] as (...all: unknown[]) => unknown)(...given),
    ]);
    return Object.fromEntries(calls) as T;
  });
  return steady;
}

function makeEdges(
  doc: PipelineDocument,
  flows: ReadonlyMap<string, string> | undefined,
  label: (from: string, port: string, to: string) => string,
): Edge[] {
  return doc.edges.map((edge) => {
    const id = edgeId(doc, edge);
    const port = portOf(doc, edge);
    const source = doc.nodes.find((node) => node.id === edge.from);
    const many = source && portsOf(source).length > 1;
    const text = [many ? port : '', flows?.get(id) ?? ''].filter(Boolean).join(' · ');
    return {
      id,
      source: edge.from,
      sourceHandle: port,
      target: edge.to,
      ariaLabel: label(edge.from, port, edge.to),
      markerEnd: { type: MarkerType.ArrowClosed },
      ...(text ? { label: text } : {}),
    };
  });
}

/** The nodes as the canvas has them: between two changes of the document it moves them by itself. */
function useCanvasNodes({ doc, selected, notes }: GraphViewProps) {
  const { t } = useTranslation();
  const positions = useMemo(() => positionsOf(doc), [doc]);
  const wanted = useMemo(
    () =>
      doc.nodes.map(
        (node): CanvasNode => ({
          id: node.id,
          type: 'step',
          position: positions.get(node.id) ?? { x: 0, y: 0 },
          width: nodeSize.width,
          selected: node.id === selected,
          data: { node, note: notes.get(node.id) },
          ariaLabel: t('graph.node', { name: nameOf(node), type: node.type, id: node.id }),
        }),
      ),
    [doc, positions, selected, notes, t],
  );
  const [nodes, setNodes] = useState<CanvasNode[]>(wanted);
  useEffect(() => {
    // What was measured stays known, or every change would hide the nodes for a moment.
    setNodes((old) => {
      const before = new Map(old.map((node) => [node.id, node]));
      return wanted.map((node) => {
        const measured = before.get(node.id)?.measured;
        const several =
          before.get(node.id)?.selected && old.filter((one) => one.selected).length > 1;
        return {
          ...node,
          ...(measured ? { measured } : {}),
          ...(several ? { selected: true } : {}),
        };
      });
    });
  }, [wanted]);
  return [nodes, setNodes] as const;
}

function Inner(props: GraphViewProps) {
  const { t } = useTranslation();
  const { doc, onSelect, flows, editing } = props;
  const flow = useReactFlow();
  const [nodes, setNodes] = useCanvasNodes(props);
  const edges = useMemo(
    () => makeEdges(doc, flows, (from, port, to) => t('graph.edge', { from, port, to })),
    [doc, flows, t],
  );
  const [chosenEdges, setChosenEdges] = useState<ReadonlySet<string>>(new Set());
  const shown = useMemo(
    () => edges.map((edge) => (chosenEdges.has(edge.id) ? { ...edge, selected: true } : edge)),
    [edges, chosenEdges],
  );
  const size = doc.nodes.length;
  const lastSize = useRef(size);
  useEffect(() => {
    // New nodes may lie outside of what is seen; wait until they are measured.
    if (size > lastSize.current) {
      const timer = setTimeout(() => void flow.fitView(kWholeView), 60);
      lastSize.current = size;
      return () => clearTimeout(timer);
    }
    lastSize.current = size;
  }, [size, flow]);

  const onNodesChange = (changes: NodeChange<CanvasNode>[]) => {
    const next = applyNodeChanges(changes, nodes);
    setNodes(next);
    // Only what somebody did tells of a selection; what follows from the document is known already.
    if (changes.some((one) => one.type === 'select')) {
      const chosen = next.filter((one) => one.selected);
      const [only] = chosen;
      if (only && chosen.length === 1 && only.id !== props.selected) onSelect(only.id);
    }
    const settled = changes.some((one) => one.type === 'position' && one.dragging === false);
    if (!settled || !editing) return;
    const before = positionsOf(doc);
    const places = new Map<string, Position>(next.map(({ id, position }) => [id, position]));
    const moved = next.some(({ id, position }) => {
      const old = before.get(id);
      return (
        !old ||
        Math.round(old.x) !== Math.round(position.x) ||
        Math.round(old.y) !== Math.round(position.y)
      );
    });
    if (moved) editing.move(places);
  };
  const onDrop = (event: DragEvent) => {
    const type = event.dataTransfer.getData(dragType);
    if (!type || !editing) return;
    event.preventDefault();
    const { x, y } = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
    editing.add(type, { position: { x: x - nodeSize.width / 2, y: y - nodeSize.height / 2 } });
  };
  const handlers = useSteady<Handlers>({
    onNodesChange,
    onEdgesChange: (changes) =>
      setChosenEdges((old) => {
        const next = new Set(old);
        for (const change of changes) {
          if (change.type !== 'select') continue;
          if (change.selected) next.add(change.id);
          else next.delete(change.id);
        }
        return next;
      }),
    onPaneClick: () => onSelect(null),
    onConnect: ({ source, sourceHandle, target }) =>
      editing?.connect(source, sourceHandle ?? 'out', target),
    isValidConnection: ({ source, sourceHandle, target }) =>
      refusal(doc, source, sourceHandle ?? 'out', target) === null,
    onBeforeDelete: async ({ nodes: gone, edges: cut }) => {
      // The document decides; what it has no more, the canvas does not show.
      if (gone.length > 0) editing?.remove(gone.map((node) => node.id));
      else editing?.disconnect(cut.map((edge) => edge.id));
      return false;
    },
    onDragOver: (event) => {
      if (editing) event.preventDefault();
    },
    onDrop,
  });
  const labels = useMemo(
    () => ({
      'controls.ariaLabel': t('graph.canvas'),
      'controls.zoomIn.ariaLabel': t('graph.zoomIn'),
      'controls.zoomOut.ariaLabel': t('graph.zoomOut'),
      'controls.fitView.ariaLabel': t('graph.fit'),
      'node.a11yDescription.default': t('graph.canvasHelp'),
    }),
    [t],
  );
  return (
    <ReactFlow
      {...handlers}
      nodes={nodes}
      edges={shown}
      nodeTypes={nodeKinds}
      deleteKeyCode={editing ? kDeleteKeys : null}
      nodesDraggable={editing !== undefined}
      nodesConnectable={editing !== undefined}
      edgesFocusable={editing !== undefined}
      elementsSelectable
      fitView
      fitViewOptions={kWholeView}
      minZoom={kMinZoom}
      aria-label={t('graph.canvas')}
      ariaLabelConfig={labels}
    >
      <Background gap={20} />
      <Controls showInteractive={false} />
    </ReactFlow>
  );
}

/** The graph as a picture. Outside of editing it shows, selects and zooms. */
export default function Canvas(props: GraphViewProps) {
  return (
    <div className={classes.canvas} data-testid="canvas">
      <ReactFlowProvider>
        <Inner {...props} />
      </ReactFlowProvider>
    </div>
  );
}
