import { Button, Group, SegmentedControl, Text } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, lazy, Suspense, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError, api, ask, type Schemas } from '@/shared/api';
import { CopyAs } from '@/shared/copy';
import { type Status, useConnection, useConnector } from '@/shared/data/connections';
import type { HubFunction } from '@/shared/data/functions';
import { type JsonSchema, SchemaForm, useSchemaForm } from '@/shared/form';
import { formatSpan } from '@/shared/format';
import { CopyButton, ErrorMessage, Loading, Message, ui } from '@/shared/ui';
import { Dialog } from '@/shared/ui/Dialog';
import { curvesOf } from './curves';
import classes from './functions.module.css';
import { parameterForm, parametersOf } from './parameters';
import { ResultTable } from './ResultTable';

type ExecuteResult = Schemas['ExecuteResult'];

const ResultChart = lazy(() => import('./ResultChart'));

const kViews = ['table', 'chart', 'json'] as const;
type View = (typeof kViews)[number];
// Of repeated calls so many are kept for the chart.
const kMaxResults = 500;

interface ResultProps {
  results: readonly ExecuteResult[];
  view: View;
  onView: (view: View) => void;
}

function Answer({ results, view }: Omit<ResultProps, 'onView'>) {
  const { t } = useTranslation();
  const curves = useMemo(() => curvesOf(results), [results]);
  const result = results.at(-1);
  if (!result) return null;
  const text = () => JSON.stringify(result, null, 2);
  const rows = (result.data?.samples?.length ?? 0) + (result.data?.records?.length ?? 0);
  switch (view) {
    case 'json':
      return (
        <>
          <pre className={ui.code}>{text()}</pre>
          <div>
            <CopyButton text={text} />
          </div>
        </>
      );
    case 'chart':
      return curves ? (
        <Suspense fallback={<Loading />}>
          <ResultChart
            curves={curves}
            label={t('functions.chartAria', {
              names: curves.lines.map(({ name }) => name).join(', '),
              count: curves.x.length,
            })}
          />
        </Suspense>
      ) : (
        <Text size="sm">{t('functions.nothingToDraw')}</Text>
      );
    default:
      return rows > 0 && result.data ? (
        <ResultTable data={result.data} />
      ) : (
        result.success && <Text size="sm">{t('functions.noData')}</Text>
      );
  }
}

function Result({ results, view, onView }: ResultProps) {
  const { t } = useTranslation();
  const result = results.at(-1);
  if (!result) return null;
  const { error } = result;
  return (
    <div className={classes.result} role="status">
      {error && (
        <Message tone="bad">
          <p>{error.message}</p>
          {error.hint && <p>{error.hint}</p>}
          {error.outcomeUnknown && <p>{t('functions.outcomeUnknown')}</p>}
          <p className={ui.reference}>{error.code}</p>
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
          onChange={(next) => onView(next as View)}
          data={kViews.map((one) => ({ value: one, label: t(`functions.as.${one}`) }))}
        />
      </div>
      <Answer results={results} view={view} />
    </div>
  );
}

interface ExecuteDialogProps {
  fn: HubFunction;
  status: Status;
  onClose: () => void;
}

interface CallProps extends ExecuteDialogProps {
  schema: JsonSchema;
}

/** The parameters of the call, from what the function takes, and what came back. */
function Call({ fn, status, schema }: CallProps) {
  const { t } = useTranslation();
  const [results, setResults] = useState<readonly ExecuteResult[]>([]);
  const [view, setView] = useState<View>('table');
  const parameters = useMemo(
    () => parameterForm(schema, fn.settings, fn.parameters, t('functions.parameterHelp')),
    [schema, fn, t],
  );
  const form = useSchemaForm({ schema: parameters.schema });
  const execute = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/functions/{id}/execute', {
          params: { path: { id: fn.id }, query: { bigint: 'string' } },
          body: { parameters: parametersOf(form.result(), parameters) },
        }),
      ),
    onSuccess: (result) => setResults((old) => [...old, result].slice(-kMaxResults)),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    // In the tree of components the dialog is part of the page, which may have a form of its own.
    event.stopPropagation();
    if (form.check()) execute.mutate();
  };
  const fields = execute.error instanceof ApiError ? execute.error.fields : [];
  return (
    <>
      <form className={classes.form} onSubmit={submit} noValidate>
        {status !== 'Connected' && (
          <Message tone="warn">
            {t('functions.needsConnection', { status: t(`status.${status}`) })}
          </Message>
        )}
        {fn.parameters.length > 0 ? (
          <SchemaForm form={form} idPrefix="call" autoFocus />
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
            {results.length > 0 ? t('functions.again') : t('functions.run')}
          </Button>
          <CopyAs
            request={{
              method: 'POST',
              path: `/functions/${fn.id}/execute`,
              body: { parameters: parametersOf(form.result(), parameters) },
            }}
          />
          {fn.kind === 'write' && (
            <Text size="sm" c="dimmed">
              {t('functions.writeWarning')}
            </Text>
          )}
        </Group>
      </form>
      {execute.error && <ErrorMessage error={execute.error} />}
      {fields.map(({ pointer, message }) => (
        <Text key={pointer} size="sm">
          {message}
        </Text>
      ))}
      <Result results={results} view={view} onView={setView} />
    </>
  );
}

/** Runs a function now, with parameters, and shows what came back. */
export function ExecuteDialog(props: ExecuteDialogProps) {
  const { t } = useTranslation();
  const { fn, onClose } = props;
  const connection = useConnection(fn.connectionId);
  const connector = useConnector(connection.data?.type);
  const type = connector.data?.functions.find((one) => one.type === fn.type);
  return (
    <Dialog size="xl" onClose={onClose} title={t('functions.executeTitle', { name: fn.name })}>
      {connector.error ? (
        <ErrorMessage error={connector.error} />
      ) : connector.data ? (
        <Call {...props} schema={(type?.schema ?? {}) as JsonSchema} />
      ) : (
        <Loading />
      )}
    </Dialog>
  );
}
