import { Loader } from '@mantine/core';
import {
  IconBox,
  IconChevronDown,
  IconChevronRight,
  IconFolder,
  IconSquare,
  IconSquareCheckFilled,
  IconVariable,
} from '@tabler/icons-react';
import {
  type DragEvent,
  type KeyboardEvent,
  type MouseEvent,
  type ReactNode,
  useRef,
  useState,
} from 'react';
import { useTranslation } from 'react-i18next';
import type { Schemas } from '@/shared/api';
import { formatValue } from '@/shared/format';
import { QualityBadge } from '@/shared/status';
import { useErrorText } from '@/shared/ui';
import classes from './browse.module.css';
import {
  type Branches,
  type BrowsedNode,
  hasValue,
  isReadable,
  keyOf,
  kRoot,
  type Row,
  rowsOf,
} from './model';
import { useNodeValues } from './use-values';

interface Place {
  key: string;
  node?: string;
  path: string[];
}

// The lines that a tree shows at once, and how far it is scrolled before others are asked for.
const kLinePixels = 28;
const kLinesSeen = 24;
const kLinesStep = 4;

interface TreeProps {
  connectionId: string;
  label: string;
  branches: Branches;
  /** Shown flat in place of the tree while something is searched for. */
  hits: BrowsedNode[] | null;
  chosen: ReadonlyMap<string, BrowsedNode>;
  choosable: (node: BrowsedNode) => boolean;
  onSet: (nodes: readonly BrowsedNode[], on: boolean) => void;
  onDrag?: (nodes: readonly BrowsedNode[]) => void;
  onLoad: (place: Place) => void;
}

type NodeRow = Extract<Row, { kind: 'node' }>;

const flat = (hits: BrowsedNode[]): Row[] =>
  hits.map((node, index) => ({
    kind: 'node',
    key: node.id,
    parent: kRoot,
    node: { ...node, hasChildren: false },
    level: 1,
    position: index + 1,
    expanded: false,
  }));

function NodeIcon({ node }: { node: BrowsedNode }) {
  if (hasValue(node)) return <IconVariable size={16} aria-hidden />;
  return node.hasChildren ? (
    <IconFolder size={16} aria-hidden />
  ) : (
    <IconBox size={16} aria-hidden />
  );
}

function Access({ node }: { node: BrowsedNode }) {
  const { t } = useTranslation();
  const { access } = node.details;
  const known = (['read', 'write', 'readWrite', 'none'] as const).find((one) => one === access);
  return <span className={classes.dim}>{known ? t(`browse.access.${known}`) : ''}</span>;
}

function NodeValue({ sample }: { sample: Schemas['Sample'] | undefined }) {
  if (!sample) return null;
  return (
    <>
      {sample.quality !== 'bad' && (
        <span className={classes.value}>{formatValue(sample.value)}</span>
      )}
      {sample.quality !== 'good' && (
        <QualityBadge quality={sample.quality} code={sample.code} message={sample.error?.message} />
      )}
    </>
  );
}

/** A tree as the ARIA practices describe it: one stop for Tab, arrows move and open, Space chooses. */
export function Tree({
  connectionId,
  label,
  branches,
  hits,
  chosen,
  choosable,
  onSet,
  onDrag,
  onLoad,
}: TreeProps) {
  const { t } = useTranslation();
  const errorText = useErrorText();
  const [expanded, setExpanded] = useState<ReadonlySet<string>>(new Set());
  const [current, setCurrent] = useState<string | null>(null);
  const [anchor, setAnchor] = useState<string | null>(null);
  const tree = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const rows = hits ? flat(hits) : rowsOf(branches, expanded);
  const values = useNodeValues(
    connectionId,
    rows
      .slice(top, top + kLinesSeen)
      .flatMap((row) => (row.kind === 'node' && isReadable(row.node) ? [row.node.id] : [])),
  );
  const at = Math.max(
    0,
    rows.findIndex((row) => row.key === current),
  );

  const focus = (index: number) => {
    const row = rows[Math.min(Math.max(index, 0), rows.length - 1)];
    if (!row) return;
    setCurrent(row.key);
    tree.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(row.key)}"]`)?.focus();
  };
  const place = (key: string): Place => {
    const row = rows.find((one): one is NodeRow => one.kind === 'node' && one.key === key);
    return row ? { key, node: row.node.id, path: row.node.path } : { key, path: [] };
  };
  const toggle = (row: NodeRow, open: boolean) => {
    setExpanded((old) => {
      const next = new Set(old);
      if (open) next.add(row.key);
      else next.delete(row.key);
      return next;
    });
    if (open && !branches.has(keyOf(row.parent, row.node))) onLoad(place(row.key));
  };
  /** With Shift, everything between the last choice and this one. */
  const choose = (row: NodeRow, range: boolean) => {
    const on = !chosen.has(row.node.id);
    const from = rows.findIndex((one) => one.key === anchor);
    const to = rows.indexOf(row);
    const span =
      range && from >= 0 ? rows.slice(Math.min(from, to), Math.max(from, to) + 1) : [row];
    const nodes = span.flatMap((one) =>
      one.kind === 'node' && choosable(one.node) ? [one.node] : [],
    );
    setAnchor(row.key);
    onSet(nodes, range || on);
  };
  const act = (row: Row, range: boolean) => {
    if (row.kind === 'more' || row.kind === 'failed') onLoad(place(row.parent));
    if (row.kind !== 'node') return;
    if (choosable(row.node)) choose(row, range);
    else if (row.node.hasChildren) toggle(row, !row.expanded);
  };
  const keyDown = (event: KeyboardEvent) => {
    const row = rows[at];
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const folder = row.kind === 'node' && row.node.hasChildren ? row : null;
    switch (event.key) {
      case 'ArrowDown':
        focus(at + 1);
        break;
      case 'ArrowUp':
        focus(at - 1);
        break;
      case 'Home':
        focus(0);
        break;
      case 'End':
        focus(rows.length - 1);
        break;
      case 'ArrowRight':
        if (folder?.expanded) focus(at + 1);
        else if (folder) toggle(folder, true);
        break;
      case 'ArrowLeft':
        if (folder?.expanded) toggle(folder, false);
        else focus(rows.findIndex((one) => one.key === row.parent));
        break;
      case 'Enter':
        if (folder) toggle(folder, !folder.expanded);
        else act(row, event.shiftKey);
        break;
      case ' ':
        act(row, event.shiftKey);
        break;
      default:
        return;
    }
    event.preventDefault();
  };

  /** A node that is chosen takes all others that are along. */
  const dragging = (node: BrowsedNode) => {
    if (!onDrag || !choosable(node)) return {};
    const nodes = chosen.has(node.id) ? [...chosen.values()] : [node];
    return {
      draggable: true,
      onDragStart: (event: DragEvent) => {
        event.dataTransfer.effectAllowed = 'copy';
        event.dataTransfer.setData('text/plain', nodes.map(({ id }) => id).join('\n'));
        onDrag(nodes);
      },
      onDragEnd: (event: DragEvent) => {
        onDrag([]);
        if (event.dataTransfer.dropEffect === 'copy') onSet(nodes, false);
      },
    };
  };

  const line = (row: Row, content: ReactNode, more: object = {}) => (
    <div
      key={row.key}
      role="treeitem"
      data-key={row.key}
      aria-level={row.level}
      tabIndex={rows[at] === row ? 0 : -1}
      className={classes.line}
      style={{ paddingInlineStart: `${row.level * 1.1 - 0.6}rem` }}
      onFocus={() => setCurrent(row.key)}
      onClick={(event: MouseEvent) => act(row, event.shiftKey)}
      onKeyDown={keyDown}
      {...more}
    >
      {content}
    </div>
  );

  const nodeLine = (row: NodeRow) => {
    const { node } = row;
    const pickable = choosable(node);
    const on = chosen.has(node.id);
    const Chevron = row.expanded ? IconChevronDown : IconChevronRight;
    return line(
      row,
      <>
        <span
          className={classes.chevron}
          aria-hidden
          onClick={(event) => {
            event.stopPropagation();
            if (node.hasChildren) toggle(row, !row.expanded);
          }}
        >
          {node.hasChildren && <Chevron size={16} />}
        </span>
        <span className={classes.mark} aria-hidden>
          {pickable && (on ? <IconSquareCheckFilled size={18} /> : <IconSquare size={18} />)}
        </span>
        <NodeIcon node={node} />
        <span className={classes.name} title={node.id}>
          {hits ? node.path.join(' / ') : node.name}
        </span>
        <NodeValue sample={values.get(node.id)} />
        <span className={classes.type}>{String(node.details.dataType ?? '')}</span>
        <Access node={node} />
      </>,
      {
        'aria-posinset': row.position,
        'aria-setsize': hits ? hits.length : (branches.get(row.parent)?.nodes.length ?? -1),
        ...(node.hasChildren ? { 'aria-expanded': row.expanded } : {}),
        ...(pickable ? { 'aria-checked': on } : {}),
        ...dragging(node),
      },
    );
  };

  const said = (row: Exclude<Row, NodeRow>) => {
    switch (row.kind) {
      case 'pending':
        return <Loader size={14} aria-label={t('common.loading')} />;
      case 'failed':
        return (
          <span className={classes.failed}>
            {errorText(branches.get(row.parent)?.error).message} {t('browse.again')}
          </span>
        );
      case 'more':
        return <span className={classes.more}>{t('browse.more')}</span>;
      case 'empty':
        return <span className={classes.dim}>{t('browse.empty')}</span>;
    }
  };

  return (
    <div
      ref={tree}
      role="tree"
      aria-label={label}
      aria-multiselectable
      className={classes.tree}
      onScroll={({ currentTarget }) => {
        const lines = currentTarget.scrollTop / kLinePixels;
        setTop(Math.floor(lines / kLinesStep) * kLinesStep);
      }}
    >
      {rows.map((row) => (row.kind === 'node' ? nodeLine(row) : line(row, said(row))))}
    </div>
  );
}
