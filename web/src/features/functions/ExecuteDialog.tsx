import { Button, Group, Modal, SegmentedControl, Text, TextInput } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, ask, type Schemas } from '@/shared/api';
import type { Status } from '@/shared/data/connections';
import type { HubFunction } from '@/shared/data/functions';
import { formatSpan } from '@/shared/format';
import { ErrorMessage, Message, ui } from '@/shared/ui';
import classes from './functions.module.css';
import { parameterValue } from './parameters';
import { ResultTable } from './ResultTable';

type ExecuteResult = Schemas['ExecuteResult'];

function Result({ result }: { result: ExecuteResult }) {
  const { t } = useTranslation();
  const [view, setView] = useState<'table' | 'json'>('table');
  const rows = (result.data?.samples?.length ?? 0) + (result.data?.records?.length ?? 0);
  return (
    <div className={classes.result} role="status">
      {result.error && (
        <Message tone="bad">
          <p>{result.error.message}</p>
          {result.error.hint && <p>{result.error.hint}</p>}
          {result.error.outcomeUnknown && <p>{t('functions.outcomeUnknown')}</p>}
          <p className={ui.reference}>{result.error.code}</p>
        </Message>
      )}
      <div className={classes.resultHead}>
        <Text size="sm" c="dimmed">
          {t('functions.resultIn', { span: formatSpan(result.durationMs, t) })}
        </Text>
        <SegmentedControl
          size="xs"
          aria-label={t('functions.result')}
          value={view}
          onChange={(next) => setView(next === 'json' ? 'json' : 'table')}
          data={[
            { value: 'table', label: t('functions.asTable') },
            { value: 'json', label: t('functions.asJson') },
          ]}
        />
      </div>
      {view === 'json' ? (
        <pre className={ui.code}>{JSON.stringify(result, null, 2)}</pre>
      ) : rows > 0 && result.data ? (
        <ResultTable data={result.data} />
      ) : (
        result.success && <Text size="sm">{t('functions.noData')}</Text>
      )}
    </div>
  );
}

interface ExecuteDialogProps {
  fn: HubFunction;
  status: Status;
  onClose: () => void;
}

/** Runs a function now, with parameters, and shows what came back. */
export function ExecuteDialog({ fn, status, onClose }: ExecuteDialogProps) {
  const { t } = useTranslation();
  const [texts, setTexts] = useState<Record<string, string>>({});
  const execute = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/functions/{id}/execute', {
          params: { path: { id: fn.id }, query: { bigint: 'string' } },
          body: {
            parameters: Object.fromEntries(
              fn.parameters.map((name) => [name, parameterValue(texts[name] ?? '')]),
            ),
          },
        }),
      ),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    execute.mutate();
  };
  return (
    <Modal
      opened
      size="xl"
      onClose={onClose}
      title={t('functions.executeTitle', { name: fn.name })}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <form className={classes.form} onSubmit={submit}>
        {status !== 'Connected' && (
          <Message tone="warn">
            {t('functions.needsConnection', { status: t(`status.${status}`) })}
          </Message>
        )}
        {fn.parameters.length > 0 ? (
          <div className={classes.top}>
            {fn.parameters.map((name, index) => (
              <TextInput
                key={name}
                label={name}
                description={index === 0 ? t('functions.parameterHelp') : undefined}
                inputWrapperOrder={['label', 'input', 'error', 'description']}
                data-autofocus={index === 0 || undefined}
                value={texts[name] ?? ''}
                spellCheck={false}
                onChange={(event) => {
                  const text = event.currentTarget.value;
                  setTexts((old) => ({ ...old, [name]: text }));
                }}
              />
            ))}
          </div>
        ) : (
          <Text size="sm" c="dimmed">
            {t('functions.noParameters')}
          </Text>
        )}
        <Group gap="xs">
          <Button
            type="submit"
            loading={execute.isPending}
            leftSection={<IconPlayerPlay size={16} />}
          >
            {execute.data ? t('functions.again') : t('functions.run')}
          </Button>
          {fn.kind === 'write' && (
            <Text size="sm" c="dimmed">
              {t('functions.writeWarning')}
            </Text>
          )}
        </Group>
      </form>
      {execute.error && <ErrorMessage error={execute.error} />}
      {execute.data && <Result result={execute.data} />}
    </Modal>
  );
}
