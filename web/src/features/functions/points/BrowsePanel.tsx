import { Button, Group, Text } from '@mantine/core';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type BrowsedNode, BrowseTree, type Chosen } from '@/shared/browse';
import { useConnection } from '@/shared/data/connections';
import { Message } from '@/shared/ui';
import { useReturnFocus } from '@/shared/ui/use-return-focus';
import { usePointsContext } from './context';
import classes from './points.module.css';

interface BrowsePanelProps {
  onAdd: (nodes: readonly BrowsedNode[]) => void;
  /** What is being dragged out of the tree; nothing once that is over. */
  onDrag: (nodes: readonly BrowsedNode[]) => void;
  onClose: () => void;
}

/** What the device says it has, beside the table: chosen and added, or dragged to where it shall stand. */
export function BrowsePanel({ onAdd, onDrag, onClose }: BrowsePanelProps) {
  const { t } = useTranslation();
  const { connectionId } = usePointsContext();
  const { data: connection } = useConnection(connectionId);
  const [chosen, setChosen] = useState<Chosen>(new Map());
  const panel = useRef<HTMLElement>(null);
  useReturnFocus();
  useEffect(() => (panel.current?.querySelector('input') ?? panel.current)?.focus(), []);
  const status = connection?.state.status;
  const keyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') onClose();
    // Enter in the search must not save the function.
    else if (event.key === 'Enter' && (event.target as Element).matches('input'))
      event.preventDefault();
  };
  return (
    <section
      ref={panel}
      className={classes.browse}
      tabIndex={-1}
      aria-label={t('points.browseTitle')}
      onKeyDown={keyDown}
    >
      {status !== undefined && status !== 'Connected' && (
        <Message tone="warn">{t('points.browseNeeds', { status: t(`status.${status}`) })}</Message>
      )}
      <BrowseTree
        connectionId={connectionId}
        chosen={chosen}
        onChoose={setChosen}
        onDrag={onDrag}
        label={t('points.browseTree')}
      />
      <Group gap="xs" justify="flex-end">
        <Text size="xs" c="dimmed" flex={1}>
          {t('points.browseDrag')}
        </Text>
        <Button size="compact-sm" variant="default" onClick={onClose}>
          {t('common.close')}
        </Button>
        <Button
          size="compact-sm"
          disabled={chosen.size === 0}
          onClick={() => {
            onAdd([...chosen.values()]);
            onClose();
          }}
        >
          {t('points.browseAdd', { count: chosen.size })}
        </Button>
      </Group>
    </section>
  );
}
