import { Button, Group, Text, Textarea } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, ask } from '@/shared/api';
import { isObject } from '@/shared/form';
import { ErrorMessage, Loading, ui } from '@/shared/ui';
import { Dialog } from '@/shared/ui/Dialog';
import { type Pipeline, pipelineKeys, useRunNow } from '../data';

const kLooked = 20;

/** What the newest run was given whose input was kept: one record by itself, or the list; undefined when there is none. */
function useLastInput(id: string) {
  return useQuery({
    queryKey: [...pipelineKeys.runs(id), 'lastInput'],
    queryFn: async (): Promise<unknown> => {
      const params = { path: { id }, query: { limit: kLooked } };
      const { items } = await ask(api.GET('/pipelines/{id}/runs', { params }));
      const kept = items.find(({ inputKept }) => inputKept);
      if (!kept) return null;
      const { input } = await ask(api.GET('/runs/{id}', { params: { path: { id: kept.id } } }));
      return input?.length === 1 ? input[0] : (input ?? null);
    },
    gcTime: 0,
  });
}

interface InputFormProps {
  pipeline: Pipeline;
  initial: unknown;
  onClose: () => void;
}

function InputForm({ pipeline, initial, onClose }: InputFormProps) {
  const { t } = useTranslation();
  const [text, setText] = useState(JSON.stringify(initial ?? {}, null, 2));
  const [wrong, setWrong] = useState<string | null>(null);
  const run = useRunNow(pipeline);
  const start = () => {
    let input: unknown;
    try {
      input = text.trim() === '' ? null : JSON.parse(text);
    } catch (error) {
      setWrong(t('runInput.notJson', { message: (error as Error).message }));
      return;
    }
    const records = Array.isArray(input) ? input : [input ?? {}];
    if (!records.every(isObject)) setWrong(t('runInput.notRecords'));
    else run.mutate({ input }, { onSuccess: onClose });
  };
  return (
    <>
      <Textarea
        data-autofocus
        label={t('runInput.label')}
        description={initial === null ? t('runInput.help') : t('runInput.last')}
        autosize
        minRows={6}
        maxRows={18}
        spellCheck={false}
        classNames={{ input: ui.mono ?? '' }}
        value={text}
        error={wrong}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setWrong(null);
        }}
      />
      {run.error && <ErrorMessage error={run.error} />}
      <Group justify="flex-end" mt="lg" gap="xs">
        <Button variant="default" onClick={onClose}>
          {t('common.cancel')}
        </Button>
        <Button loading={run.isPending} leftSection={<IconPlayerPlay size={16} />} onClick={start}>
          {t('pipelines.run')}
        </Button>
      </Group>
    </>
  );
}

/** Runs a pipeline from its manual trigger with records of one's own; those of the last run are there to begin with. */
export function RunDialog({ pipeline, onClose }: { pipeline: Pipeline; onClose: () => void }) {
  const { t } = useTranslation();
  const last = useLastInput(pipeline.id);
  return (
    <Dialog size="lg" onClose={onClose} title={t('runInput.title', { name: pipeline.name })}>
      <Text size="sm" mb="sm">
        {t('runInput.text')}
      </Text>
      {last.error ? (
        <ErrorMessage error={last.error} onRetry={() => void last.refetch()} />
      ) : last.data === undefined ? (
        <Loading />
      ) : (
        <InputForm pipeline={pipeline} initial={last.data} onClose={onClose} />
      )}
    </Dialog>
  );
}
