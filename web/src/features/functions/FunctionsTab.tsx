import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { IconFunction, IconPencil, IconPlayerPlay, IconPlus, IconTrash } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { api, ask } from '@/shared/api';
import { CopyAs, connectionDocument } from '@/shared/copy';
import { useConnection } from '@/shared/data/connections';
import { functionKeys, type HubFunction, useFunctions } from '@/shared/data/functions';
import { EmptyState, ErrorMessage, Loading, notifyDone, Panel, TableScroll, ui } from '@/shared/ui';
import { ConfirmDialog } from '@/shared/ui/ConfirmDialog';
import { ExecuteDialog } from './ExecuteDialog';
import classes from './functions.module.css';
import { SubscriptionBadge } from './SubscriptionBadge';
import { summaryOf } from './summary';

function DeleteFunction({ fn, onClose }: { fn: HubFunction; onClose: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => ask(api.DELETE('/functions/{id}', { params: { path: { id: fn.id } } })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: functionKeys.ofConnection(fn.connectionId) });
      notifyDone(t('functions.deleted', { name: fn.name }));
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={t('functions.deleteTitle', { name: fn.name })}
      action={t('common.delete')}
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      {t('functions.deleteText')}
    </ConfirmDialog>
  );
}

const kExecutable = ['read', 'write', 'command', 'browse'];

/** What can be done on this connection. */
export default function FunctionsTab() {
  const { t } = useTranslation();
  const { id = '' } = useParams();
  const { data, error, refetch } = useFunctions(id);
  const { data: connection } = useConnection(id);
  const [dialog, setDialog] = useState<{ kind: 'execute' | 'delete'; fn: HubFunction } | null>(
    null,
  );
  const add = (
    <Button component={Link} to="new" leftSection={<IconPlus size={16} />} size="compact-md">
      {t('functions.add')}
    </Button>
  );
  if (error) return <ErrorMessage error={error} onRetry={() => void refetch()} />;
  if (!data || !connection) return <Loading />;
  if (data.length === 0) {
    return (
      <Panel>
        <EmptyState
          icon={<IconFunction size={40} stroke={1.2} aria-hidden />}
          title={t('functions.empty')}
          text={t('functions.emptyText')}
          action={add}
        />
      </Panel>
    );
  }
  return (
    <Panel
      title={t('functions.title')}
      aside={
        <>
          <CopyAs
            request={{ method: 'GET', path: `/connections/${id}/functions` }}
            document={() => connectionDocument(connection)}
          />
          {add}
        </>
      }
      flush
    >
      <TableScroll>
        <table className={`${ui.table} ${ui.rows} ${ui.stacked}`}>
          <thead>
            <tr>
              <th scope="col">{t('common.name')}</th>
              <th scope="col">{t('common.type')}</th>
              <th scope="col">{t('common.details')}</th>
              <th scope="col">{t('common.status')}</th>
              <th scope="col">
                <span className={ui.hidden}>{t('common.actions')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {data.map((fn) => (
              <tr key={fn.id}>
                <td>
                  <Link className={classes.name} to={fn.id}>
                    {fn.name}
                  </Link>
                  {fn.description && <div className={classes.sub}>{fn.description}</div>}
                </td>
                <td>
                  {t(`functions.kind.${fn.kind}`)}
                  <div className={`${classes.sub} ${ui.mono}`}>{fn.type}</div>
                </td>
                <td className={classes.summary}>{summaryOf(fn, t)}</td>
                <td>
                  <SubscriptionBadge fn={fn} />
                </td>
                <td className={classes.rowActions}>
                  {kExecutable.includes(fn.kind) && (
                    <Button
                      size="compact-sm"
                      variant="light"
                      leftSection={<IconPlayerPlay size={14} />}
                      onClick={() => setDialog({ kind: 'execute', fn })}
                    >
                      {t('functions.execute')}
                    </Button>
                  )}
                  <Tooltip label={t('common.edit')}>
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      component={Link}
                      to={fn.id}
                      aria-label={`${t('common.edit')}: ${fn.name}`}
                    >
                      <IconPencil size={16} />
                    </ActionIcon>
                  </Tooltip>
                  <Tooltip label={t('common.delete')}>
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      aria-label={`${t('common.delete')}: ${fn.name}`}
                      onClick={() => setDialog({ kind: 'delete', fn })}
                    >
                      <IconTrash size={16} />
                    </ActionIcon>
                  </Tooltip>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableScroll>
      {dialog?.kind === 'execute' && (
        <ExecuteDialog
          fn={dialog.fn}
          status={connection.state.status}
          onClose={() => setDialog(null)}
        />
      )}
      {dialog?.kind === 'delete' && (
        <DeleteFunction fn={dialog.fn} onClose={() => setDialog(null)} />
      )}
    </Panel>
  );
}
