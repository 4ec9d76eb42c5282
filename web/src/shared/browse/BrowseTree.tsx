import { Button, CloseButton, Loader, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ErrorMessage } from '@/shared/ui';
import classes from './browse.module.css';
import { type BrowsedNode, found, hasValue, kMaxWalked, kRoot, loadedNodes } from './model';
import { Tree } from './Tree';
import { kRootPlace, useBrowse } from './use-browse';

/** What is chosen in a tree, by node id. */
export type Chosen = ReadonlyMap<string, BrowsedNode>;

interface BrowseTreeProps {
  connectionId: string;
  chosen: Chosen;
  onChoose: (chosen: Chosen) => void;
  /** Which nodes may be chosen; those with a value when absent. */
  choosable?: (node: BrowsedNode) => boolean;
  /** Given where nodes may be dragged to: those that are on their way; none once they are dropped or let go. */
  onDrag?: (nodes: readonly BrowsedNode[]) => void;
  label: string;
}

/**
 * What a connection's peer has to offer, loaded level by level as it is opened, with a search over what is loaded and, on
 * request, over everything. Nodes are chosen, by mouse or keyboard; what becomes of them is the page's business.
 */
export function BrowseTree({
  connectionId,
  chosen,
  onChoose,
  choosable = hasValue,
  onDrag,
  label,
}: BrowseTreeProps) {
  const { t } = useTranslation();
  const { branches, load, walking, walkAll, stopWalk } = useBrowse(connectionId);
  const [search, setSearch] = useState('');
  const searching = search.trim() !== '';
  const hits = searching ? found(branches, search) : [];
  const open = hits.filter((node) => choosable(node) && !chosen.has(node.id));
  const count = loadedNodes(branches).length;

  const set = (nodes: readonly BrowsedNode[], on: boolean) => {
    const next = new Map(chosen);
    for (const node of nodes) {
      if (on) next.set(node.id, node);
      else next.delete(node.id);
    }
    onChoose(next);
  };

  const root = branches.get(kRoot);
  if (root && root.error !== null && root.nodes.length === 0)
    return <ErrorMessage error={root.error} onRetry={() => void load(kRootPlace)} />;

  return (
    <div className={classes.browse}>
      <div className={classes.bar}>
        <TextInput
          className={classes.search}
          aria-label={t('browse.search')}
          placeholder={t('browse.search')}
          leftSection={<IconSearch size={16} />}
          rightSection={
            search && (
              <CloseButton
                size="sm"
                aria-label={t('browse.showTree')}
                onClick={() => setSearch('')}
              />
            )
          }
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
        {walking ? (
          <Button variant="default" leftSection={<Loader size={14} />} onClick={stopWalk}>
            {t('browse.stopWalk')}
          </Button>
        ) : (
          <Button variant="default" onClick={() => void walkAll()}>
            {t('browse.walk')}
          </Button>
        )}
        {open.length > 1 && (
          <Button variant="light" onClick={() => set(open, true)}>
            {t('browse.chooseFound', { count: open.length })}
          </Button>
        )}
      </div>
      <p className={classes.note} role="status">
        {searching
          ? t('browse.found', { count: hits.length, loaded: count })
          : t('browse.loaded', { count })}
        {count >= kMaxWalked && ` ${t('browse.tooMany', { count: kMaxWalked })}`}
      </p>
      <Tree
        connectionId={connectionId}
        label={label}
        branches={branches}
        hits={searching ? hits : null}
        chosen={chosen}
        choosable={choosable}
        onSet={set}
        {...(onDrag ? { onDrag } : {})}
        onLoad={(place) => void load(place)}
      />
    </div>
  );
}
