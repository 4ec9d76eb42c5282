import { Button, Group } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Connection } from '@/shared/data/connections';
import { formatMoment } from '@/shared/format';
import { ErrorMessage, Loading, notifyDone, Panel, TableScroll, ui } from '@/shared/ui';
import { ConfirmDialog } from '@/shared/ui/ConfirmDialog';
import { useRestore, useVersionDiff, useVersions } from '../data';
import { Differences } from '../edit/Differences';

function Compare({ id, from, to }: { id: string; from: number; to: number }) {
  const { t } = useTranslation();
  const { data, error } = useVersionDiff(id, from, to);
  return (
    <Panel title={t('versions.compareWith', { from, to })}>
      {error && <ErrorMessage error={error} />}
      {!data && !error && <Loading />}
      {data &&
        (data.same ? <p>{t('versions.same')}</p> : <Differences differences={data.members} />)}
    </Panel>
  );
}

interface VersionsProps {
  connection: Connection;
  onRestored: (connection: Connection) => void;
}

/** Every version that is kept, what it changed, and the way back to it. Secrets have no versions. */
export function Versions({ connection, onRestored }: VersionsProps) {
  const { t } = useTranslation();
  const { id, version: current } = connection;
  const { data, error, refetch } = useVersions(id);
  const restore = useRestore(id, current);
  const [compared, setCompared] = useState<[from: number, to: number] | null>(null);
  const [restoring, setRestoring] = useState<number | null>(null);
  return (
    <>
      <Panel title={t('connectionVersions.title')} flush>
        {error && <ErrorMessage error={error} onRetry={() => void refetch()} />}
        {!data && !error && <Loading />}
        {data && (
          <TableScroll>
            <table className={ui.table}>
              <tbody>
                {data.map(({ version, at, actor, changedSecrets }, place) => {
                  const before = data[place + 1]?.version;
                  return (
                    <tr key={version}>
                      <td>
                        {t('versions.version', { version })}{' '}
                        {version === current && (
                          <span className={ui.label}>{t('connectionVersions.current')}</span>
                        )}
                      </td>
                      <td>{formatMoment(at)}</td>
                      <td>{actor && t('versions.by', { actor })}</td>
                      <td>
                        {changedSecrets.length > 0 &&
                          t('connectionVersions.secrets', { names: changedSecrets.join(', ') })}
                      </td>
                      <td>
                        <Group gap="xs" justify="flex-end">
                          {before !== undefined && (
                            <Button
                              size="compact-sm"
                              variant="default"
                              aria-label={t('versions.showChanges', { version })}
                              onClick={() => setCompared([before, version])}
                            >
                              {t('versions.compare')}
                            </Button>
                          )}
                          {version !== current && (
                            <Button
                              size="compact-sm"
                              variant="default"
                              onClick={() => {
                                restore.reset();
                                setRestoring(version);
                              }}
                            >
                              {t('versions.restore', { version })}
                            </Button>
                          )}
                        </Group>
                      </td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </TableScroll>
        )}
      </Panel>
      {compared && <Compare id={id} from={compared[0]} to={compared[1]} />}
      {restoring !== null && (
        <ConfirmDialog
          title={t('versions.restoreTitle', { version: restoring })}
          action={t('versions.restore', { version: restoring })}
          pending={restore.isPending}
          error={restore.error}
          onClose={() => setRestoring(null)}
          onConfirm={() =>
            restore.mutate(restoring, {
              onSuccess: (restored) => {
                setRestoring(null);
                notifyDone(t('connectionVersions.restored', { version: restoring }));
                onRestored(restored);
              },
            })
          }
        >
          {t('connectionVersions.restoreText')}
        </ConfirmDialog>
      )}
    </>
  );
}
