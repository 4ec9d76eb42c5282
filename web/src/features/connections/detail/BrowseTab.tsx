import { Button, Group } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { BrowseTree, type Chosen } from '@/shared/browse';
import { CopyButton, EmptyState, Panel } from '@/shared/ui';
import classes from '../connections.module.css';
import { useThisConnection } from './ConnectionPage';

/** What the peer has to offer; what is chosen goes on to a new function. */
export default function BrowseTab() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const connection = useThisConnection();
  const [chosen, setChosen] = useState<Chosen>(new Map());
  if (connection.state.status !== 'Connected')
    return (
      <Panel>
        <EmptyState
          title={t('browse.notConnected', { status: t(`status.${connection.state.status}`) })}
          text={t('browse.notConnectedText')}
        />
      </Panel>
    );
  const ids = [...chosen.keys()];
  return (
    <Panel
      title={t('browse.title')}
      aside={
        ids.length > 0 && (
          <Group gap="xs">
            <span role="status">{t('browse.chosen', { count: ids.length })}</span>
            <CopyButton label={t('browse.copyIds')} text={() => ids.join('\n')} />
            <Button size="compact-sm" variant="default" onClick={() => setChosen(new Map())}>
              {t('browse.clear')}
            </Button>
            <Button
              size="compact-sm"
              onClick={() =>
                void navigate(`/connections/${connection.id}/functions/new`, {
                  state: { picked: [...chosen.values()] },
                })
              }
            >
              {t('browse.toFunction')}
            </Button>
          </Group>
        )
      }
    >
      <div className={classes.column}>
        <BrowseTree
          key={connection.id}
          connectionId={connection.id}
          label={t('browse.treeOf', { name: connection.name })}
          chosen={chosen}
          onChoose={setChosen}
        />
      </div>
    </Panel>
  );
}
