import { Button } from '@mantine/core';
import { IconPlayerStop, IconRepeat } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { api, ask } from '@/shared/api';
import { notifyDone } from '@/shared/ui';
import { pipelineKeys, type Run, useFailed } from '../data';

/** Cancel what is at work; run again what has ended. */
export function RunActions({ run }: { run: Run }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const failed = useFailed();
  const params = { path: { id: run.id } };
  const seen = () => {
    void client.invalidateQueries({ queryKey: pipelineKeys.runs(run.pipelineId) });
    void client.invalidateQueries({ queryKey: pipelineKeys.run(run.id) });
  };
  const cancel = useMutation({
    mutationFn: () => ask(api.POST('/runs/{id}/cancel', { params })),
    onSuccess: () => {
      notifyDone(t('runs.cancelled'));
      seen();
    },
    onError: failed,
  });
  const again = useMutation({
    mutationFn: () => ask(api.POST('/runs/{id}/rerun', { params })),
    onSuccess: (made) => {
      seen();
      if (!made) return;
      notifyDone(t('runs.reran', { status: t(`pipelines.runStatus.${made.status}`) }));
      void navigate(`/pipelines/${run.pipelineId}/runs/${made.id}`);
    },
    onError: failed,
  });
  if (run.status === 'running')
    return (
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<IconPlayerStop size={14} />}
        loading={cancel.isPending}
        onClick={() => cancel.mutate()}
      >
        {t('runs.cancel')}
      </Button>
    );
  return (
    <Button
      size="compact-sm"
      variant="default"
      leftSection={<IconRepeat size={14} />}
      disabled={!run.inputKept}
      title={run.inputKept ? t('runs.rerunHelp') : t('runs.rerunNot')}
      loading={again.isPending}
      onClick={() => again.mutate()}
    >
      {t('runs.rerun')}
    </Button>
  );
}
