import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { api, ask } from '@/shared/api';
import { notifyDone } from '@/shared/ui';
import { ConfirmDialog } from '@/shared/ui/ConfirmDialog';
import { lettersOf, type Pipeline, pipelineKeys, waitingOf } from './data';

/** What one pipeline needs and what needs it. */
export function useUses(id: string) {
  return useQuery({
    queryKey: pipelineKeys.uses(id),
    queryFn: () => ask(api.GET('/dependencies', { params: { query: { id } } })),
  });
}

/** Asks before a pipeline is deleted, and says what goes with it. */
export function DeleteDialog({ pipeline, onClose }: { pipeline: Pipeline; onClose: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const { id, name, state } = pipeline;
  const uses = useUses(id);
  const users = (uses.data?.edges ?? [])
    .filter((edge) => edge.to === id)
    .map((edge) => uses.data?.nodes.find((node) => node.id === edge.from)?.name ?? edge.from);
  const remove = useMutation({
    mutationFn: () => ask(api.DELETE('/pipelines/{id}', { params: { path: { id } } })),
    onSuccess: async () => {
      notifyDone(t('pipelines.deleted', { name }));
      onClose();
      await navigate('/pipelines');
      client.removeQueries({ queryKey: pipelineKeys.one(id) });
      void client.invalidateQueries({ queryKey: pipelineKeys.all, exact: true });
    },
  });
  const waiting = waitingOf(state);
  const letters = lettersOf(state);
  return (
    <ConfirmDialog
      title={t('pipelines.deleteTitle', { name })}
      action={t('common.delete')}
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      <p>{t('pipelines.deleteText')}</p>
      {waiting > 0 && <p>{t('pipelines.deleteWaiting', { count: waiting })}</p>}
      {letters > 0 && <p>{t('pipelines.deleteLetters', { count: letters })}</p>}
      {users.length > 0 && (
        <>
          <p>{t('pipelines.deleteUsed')}</p>
          <ul>
            {users.map((user) => (
              <li key={user}>{user}</li>
            ))}
          </ul>
        </>
      )}
    </ConfirmDialog>
  );
}
