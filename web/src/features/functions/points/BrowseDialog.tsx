import { Button, Group } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { BrowseTree, type Chosen } from '@/shared/browse';
import { useConnection } from '@/shared/data/connections';
import type { JsonObject } from '@/shared/form';
import { Message } from '@/shared/ui';
import { Dialog } from '@/shared/ui/Dialog';
import { usePointsContext } from './context';
import { fromNodes } from './from-nodes';
import classes from './points.module.css';
import type { PointSchema } from './rows';

interface BrowseDialogProps {
  point: PointSchema;
  rows: readonly JsonObject[];
  onAdd: (rows: JsonObject[]) => void;
  onClose: () => void;
}

/** Points picked from what the device says it has. */
export function BrowseDialog({ point, rows, onAdd, onClose }: BrowseDialogProps) {
  const { t } = useTranslation();
  const { connectionId } = usePointsContext();
  const { data: connection } = useConnection(connectionId);
  const [chosen, setChosen] = useState<Chosen>(new Map());
  const status = connection?.state.status;
  return (
    <Dialog size="xl" onClose={onClose} title={t('points.browseTitle')}>
      <div className={classes.dialog}>
        {status !== undefined && status !== 'Connected' && (
          <Message tone="warn">
            {t('points.browseNeeds', { status: t(`status.${status}`) })}
          </Message>
        )}
        <BrowseTree
          connectionId={connectionId}
          chosen={chosen}
          onChoose={setChosen}
          label={t('points.browseTree')}
        />
        <Group gap="xs" justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button
            disabled={chosen.size === 0}
            onClick={() => {
              onAdd(fromNodes([...chosen.values()], point, rows));
              onClose();
            }}
          >
            {t('points.browseAdd', { count: chosen.size })}
          </Button>
        </Group>
      </div>
    </Dialog>
  );
}
