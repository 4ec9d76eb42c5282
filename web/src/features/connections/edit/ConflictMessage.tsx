import { Button, Group } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, ask } from '@/shared/api';
import type { Connection } from '@/shared/data/connections';
import { formatMoment } from '@/shared/format';
import { ErrorMessage, Loading, Message } from '@/shared/ui';
import { Differences } from './Differences';
import { changesOf } from './merge-patch';

interface ConflictMessageProps {
  /** As it was loaded into the form. */
  loaded: Connection;
  pending: boolean;
  onTakeTheirs: () => void;
  /** Saves the changes made here on top of that version. */
  onKeepMine: (version: number) => void;
}

const partOf = ({ name, description, labels, autostart, settings, reconnect }: Connection) => ({
  name,
  description,
  labels,
  autostart,
  settings,
  reconnect,
});

/** Somebody else saved first: what they changed, and the two ways on. */
export function ConflictMessage({
  loaded,
  pending,
  onTakeTheirs,
  onKeepMine,
}: ConflictMessageProps) {
  const { t } = useTranslation();
  // Its own key: the form must not take theirs for what was loaded.
  const theirs = useQuery({
    queryKey: ['connections', loaded.id, 'theirs', loaded.version],
    queryFn: () => ask(api.GET('/connections/{id}', { params: { path: { id: loaded.id } } })),
    staleTime: 0,
  });
  if (theirs.error) return <ErrorMessage error={theirs.error} />;
  if (!theirs.data) return <Loading />;
  const { version, updatedAt } = theirs.data;
  const changes = changesOf(partOf(loaded), partOf(theirs.data));
  return (
    <Message tone="warn" alert>
      <p>
        <strong>{t('conflict.title')}</strong>
      </p>
      <p>{t('conflict.text', { version, at: formatMoment(updatedAt) })}</p>
      {changes.length > 0 ? (
        <Differences differences={changes} />
      ) : (
        <p>{t('conflict.secretsOnly')}</p>
      )}
      <Group gap="xs" mt="xs">
        <Button size="compact-sm" loading={pending} onClick={() => onKeepMine(version)}>
          {t('conflict.keepMine')}
        </Button>
        <Button size="compact-sm" variant="default" onClick={onTakeTheirs}>
          {t('conflict.takeTheirs')}
        </Button>
      </Group>
    </Message>
  );
}
