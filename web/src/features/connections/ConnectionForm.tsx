import { Button, Switch, Textarea, TextInput } from '@mantine/core';
import { IconStethoscope } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/shared/api';
import type { Connection, Connector } from '@/shared/data/connections';
import { SchemaForm } from '@/shared/form';
import { LabelsInput } from '@/shared/form/LabelsInput';
import { ErrorMessage, Message, Panel } from '@/shared/ui';
import classes from './connections.module.css';
import { DiagnosisResult } from './DiagnosisResult';
import { useConnectionForm } from './use-connection-form';

interface ConnectionFormProps {
  connector: Connector;
  stored?: Connection;
  onSaved: (connection: Connection) => void;
  onCancel: () => void;
}

const kPrefix = 'settings';

/** Puts the cursor into the field a problem points at. */
export function focusField(pointer: string): void {
  const below = pointer.replace(/^\/settings/, '');
  const place = document.querySelector(`[data-pointer="${CSS.escape(below)}"]`);
  const input = place?.matches('input, select, textarea')
    ? place
    : place?.querySelector('input, select, textarea, button');
  place?.closest('details')?.setAttribute('open', '');
  if (input instanceof HTMLElement) {
    input.scrollIntoView({ block: 'center' });
    input.focus();
  }
}

/** Settings on the left in the order of the wizard; the staged test and saving on the right, always in sight. */
export function ConnectionForm({ connector, stored, onSaved, onCancel }: ConnectionFormProps) {
  const { t } = useTranslation();
  const form = useConnectionForm(connector, stored);
  const [tested, setTested] = useState<unknown>(null);
  const { settings, save, test } = form;
  const running = stored && !['Idle', 'Suspended'].includes(stored.state.status);
  const problems =
    settings.errors.size + settings.secretErrors.size + (form.nameError.missing ? 1 : 0);

  const focusFirstProblem = () =>
    requestAnimationFrame(() => {
      document.querySelector<HTMLElement>('form [aria-invalid="true"]')?.focus();
    });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (form.check(true)) save.mutate(undefined, { onSuccess: onSaved });
    else focusFirstProblem();
  };
  const runTest = () => {
    if (!form.check(false)) return focusFirstProblem();
    setTested(settings.value);
    test.mutate();
  };
  const general = (error: unknown) =>
    error instanceof ApiError && error.fields.length > 0 && error.status === 422 ? null : error;

  return (
    <form onSubmit={submit} noValidate className={classes.columns}>
      <div className={classes.column}>
        <Panel title={t('editConnection.identity')}>
          <div className={classes.formGrid}>
            <TextInput
              label={t('common.name')}
              placeholder={t('editConnection.namePlaceholder')}
              withAsterisk
              autoFocus
              value={form.name}
              maxLength={200}
              onChange={(event) => form.setName(event.currentTarget.value)}
              error={
                form.nameError.fromServer ?? (form.nameError.missing && t('form.error.required'))
              }
            />
            <LabelsInput
              label={t('editConnection.labels')}
              description={t('editConnection.labelsHelp')}
              value={form.labels}
              onChange={form.setLabels}
            />
            <Textarea
              className={classes.wide}
              label={t('common.description')}
              autosize
              minRows={1}
              maxRows={5}
              value={form.description}
              onChange={(event) => form.setDescription(event.currentTarget.value)}
            />
            <Switch
              className={classes.wide}
              label={stored ? t('editConnection.autostartEdit') : t('editConnection.autostart')}
              checked={form.autostart}
              onChange={(event) => form.setAutostart(event.currentTarget.checked)}
            />
          </div>
        </Panel>
        <Panel title={t('editConnection.settings')}>
          <SchemaForm form={settings} idPrefix={kPrefix} />
        </Panel>
      </div>
      <div className={`${classes.column} ${classes.sticky}`}>
        <Panel>
          <div className={classes.column}>
            <div className={classes.formFoot}>
              <Button type="submit" loading={save.isPending}>
                {stored ? t('common.saveChanges') : t('editConnection.create')}
              </Button>
              <Button
                variant="default"
                px="sm"
                leftSection={<IconStethoscope size={16} />}
                loading={test.isPending}
                onClick={runTest}
              >
                {t('editConnection.test')}
              </Button>
              <Button variant="subtle" color="gray" px="sm" onClick={onCancel}>
                {t('common.cancel')}
              </Button>
            </div>
            {problems > 0 && (
              <Message tone="warn">{t('form.fixErrors', { count: problems })}</Message>
            )}
            {save.error && general(save.error) !== null && <ErrorMessage error={save.error} />}
            {running && <Message tone="info">{t('editConnection.willReconnect')}</Message>}
          </div>
        </Panel>
        <Panel title={t('diagnosis.title')}>
          {test.error && general(test.error) !== null && <ErrorMessage error={test.error} />}
          <DiagnosisResult
            diagnosis={test.data}
            pending={test.isPending}
            stale={tested !== null && tested !== settings.value}
            onGoTo={focusField}
          />
        </Panel>
      </div>
    </form>
  );
}
