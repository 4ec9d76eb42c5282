import { ActionIcon, Button, Menu, Tooltip } from '@mantine/core';
import {
  IconArrowBackUp,
  IconArrowForwardUp,
  IconBinaryTree,
  IconBrackets,
  IconCopy,
  IconDownload,
  IconFileImport,
  IconPlus,
  IconTransfer,
  IconTrash,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { JsonObject } from '@/shared/form';
import { saveFile } from '@/shared/ui';
import { usePointsContext } from './context';
import type { GridCommands } from './PointGrid';
import classes from './points.module.css';

interface TableToolsProps {
  commands: GridCommands;
  empty: boolean;
  chosen: number;
  rows: readonly JsonObject[];
  onOpen: (layer: 'range' | 'import' | 'browse') => void;
}

/** What can be done with the list of points, by mouse; the keys of the grid do the same. */
export function TableTools({ commands, empty, chosen, rows, onOpen }: TableToolsProps) {
  const { t } = useTranslation();
  const { stored, dirty, canBrowse } = usePointsContext();
  const none = empty || chosen === 0;
  const tool = (
    key: 'duplicate' | 'remove' | 'undo' | 'redo',
    icon: React.ReactNode,
    act: (() => void) | null,
  ) => (
    <Tooltip label={t(`points.${key}`)}>
      <ActionIcon
        variant="default"
        aria-label={t(`points.${key}`)}
        disabled={act === null}
        onClick={() => act?.()}
      >
        {icon}
      </ActionIcon>
    </Tooltip>
  );
  return (
    <div className={classes.tools}>
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<IconPlus size={14} />}
        onClick={commands.add}
      >
        {t('points.add')}
      </Button>
      {tool('duplicate', <IconCopy size={15} />, none ? null : commands.duplicate)}
      {tool('remove', <IconTrash size={15} />, none ? null : commands.remove)}
      {tool('undo', <IconArrowBackUp size={15} />, commands.undo)}
      {tool('redo', <IconArrowForwardUp size={15} />, commands.redo)}
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<IconBrackets size={14} />}
        onClick={() => onOpen('range')}
      >
        {t('points.range')}
      </Button>
      {canBrowse && (
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconBinaryTree size={14} />}
          onClick={() => onOpen('browse')}
        >
          {t('points.browse')}
        </Button>
      )}
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <Button size="compact-sm" variant="default" leftSection={<IconTransfer size={14} />}>
            {t('points.transfer')}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconFileImport size={14} />}
            disabled={!stored || dirty}
            onClick={() => onOpen('import')}
          >
            {stored && !dirty ? t('points.importFile') : t('points.importFirst')}
          </Menu.Item>
          {stored && (
            <Menu.Item
              component="a"
              href={`/api/v1/functions/${stored.id}/points?format=csv`}
              download={`${stored.name}.csv`}
              leftSection={<IconDownload size={14} />}
            >
              {t('points.exportCsv')}
            </Menu.Item>
          )}
          <Menu.Item
            leftSection={<IconDownload size={14} />}
            onClick={() =>
              saveFile(
                `${stored?.name ?? t('points.grid')}.json`,
                'application/json',
                `${JSON.stringify(rows, null, 2)}\n`,
              )
            }
          >
            {t('points.exportJson')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </div>
  );
}
