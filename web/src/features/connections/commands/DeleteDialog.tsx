import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { api, ask } from '@/shared/api';
import { type Connection, connectionKeys } from '@/shared/data/connections';
import { notifyDone } from '@/shared/ui';
import { ConfirmDialog } from '@/shared/ui/ConfirmDialog';

const kAtRest = ['Idle', 'Suspended', 'Failed'];

export function DeleteDialog({
  connection,
  onClose,
}: {
  connection: Connection;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const running = !kAtRest.includes(connection.state.status);
  const remove = useMutation({
    mutationFn: () =>
      ask(
        api.DELETE('/connections/{id}', {
          params: { path: { id: connection.id }, query: { force: running } },
        }),
      ),
    onSuccess: async () => {
      notifyDone(t('connection.deleted', { name: connection.name }));
      await navigate('/connections');
      client.removeQueries({ queryKey: connectionKeys.one(connection.id) });
      void client.invalidateQueries({ queryKey: connectionKeys.all });
    },
  });
  return (
    <ConfirmDialog
      title={t('connection.deleteTitle', { name: connection.name })}
      action={t('common.delete')}
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      {t('connection.deleteText')} {running && t('connection.deleteRunning')}
    </ConfirmDialog>
  );
}
