import { Button } from '@mantine/core';
import { IconStethoscope } from '@tabler/icons-react';
import { type FormEvent, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'react-router';
import { ApiError } from '@/shared/api';
import type { Connection, Connector } from '@/shared/data/connections';
import { SchemaForm } from '@/shared/form';
import { ErrorMessage, Message, Panel } from '@/shared/ui';
import { useLeaveGuard } from '@/shared/ui/use-leave-guard';
import classes from '../connections.module.css';
import { DraftDiagnosis } from '../diagnosis/DraftDiagnosis';
import { GuidePanel } from '../guide/GuidePanel';
import { ConflictMessage } from './ConflictMessage';
import { focusField, focusFirstProblem } from './focus-field';
import { IdentityFields } from './IdentityFields';
import { ReconnectFields } from './ReconnectFields';
import { useConnectionForm } from './use-connection-form';

interface EditFormProps {
  connector: Connector;
  stored: Connection;
  onSaved: (connection: Connection) => void;
  /** As it is known to be stored now. */
  latest: Connection;
  onBeginAgain: (connection: Connection) => void;
  /** Ask for what is stored now, and begin again with it. */
  onReload: () => void;
}

/** A stored connection's settings on the left; saving, the staged test and the guide on the right, always in sight. */
export function EditForm(props: EditFormProps) {
  const { connector, stored, latest, onSaved, onBeginAgain, onReload } = props;
  const { t } = useTranslation();
  const { hash } = useLocation();
  const form = useConnectionForm(connector, stored);
  const leave = useLeaveGuard(form.dirty);
  const [tested, setTested] = useState<unknown>(null);
  const { settings, save, test, general } = form;
  const running = !['Idle', 'Suspended'].includes(stored.state.status);
  const problems =
    settings.errors.size +
    settings.secretErrors.size +
    form.reconnect.errors.size +
    (form.nameError.missing ? 1 : 0);
  const conflict = save.error instanceof ApiError && save.error.status === 412;

  useEffect(() => {
    // "Go to the field" of another page leads here.
    if (hash) focusField(decodeURIComponent(hash.slice(1)));
  }, [hash]);

  useEffect(() => {
    // As long as nothing was typed, the newest version is the one to begin with.
    if (!form.dirty && latest.version > stored.version) onBeginAgain(latest);
  }, [form.dirty, latest, stored.version, onBeginAgain]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (form.check()) save.mutate(undefined, { onSuccess: onSaved });
    else focusFirstProblem();
  };
  const runTest = () => {
    if (!settings.check()) return focusFirstProblem();
    setTested(settings.value);
    test.mutate();
  };
  return (
    <form onSubmit={submit} noValidate className={classes.columns}>
      <div className={classes.column}>
        <Panel title={t('editConnection.identity')}>
          <IdentityFields form={form} isNew={false} />
        </Panel>
        <Panel title={t('editConnection.settings')}>
          <div data-area="/settings">
            <SchemaForm form={settings} idPrefix="settings" />
          </div>
        </Panel>
        <Panel>
          <ReconnectFields form={form} />
        </Panel>
      </div>
      <div className={`${classes.column} ${classes.sticky}`}>
        <Panel>
          <div className={classes.column}>
            <div className={classes.formFoot}>
              <Button type="submit" loading={save.isPending}>
                {t('common.saveChanges')}
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
              {form.dirty && (
                <Button variant="subtle" color="gray" px="sm" onClick={onReload}>
                  {t('editConnection.discard')}
                </Button>
              )}
            </div>
            {problems > 0 && (
              <Message tone="warn">{t('form.fixErrors', { count: problems })}</Message>
            )}
            {conflict ? (
              <ConflictMessage
                loaded={stored}
                pending={save.isPending}
                onTakeTheirs={onReload}
                onKeepMine={(version) => save.mutate(version, { onSuccess: onSaved })}
              />
            ) : (
              save.error && general(save.error) !== null && <ErrorMessage error={save.error} />
            )}
            {running && <Message tone="info">{t('editConnection.willReconnect')}</Message>}
          </div>
        </Panel>
        <Panel title={t('diagnosis.title')}>
          {test.error && general(test.error) !== null && <ErrorMessage error={test.error} />}
          <DraftDiagnosis
            connector={connector}
            settings={settings.value}
            diagnosis={test.data}
            pending={test.isPending}
            stale={tested !== null && tested !== settings.value}
            onGoTo={focusField}
            onTestAgain={runTest}
          />
        </Panel>
        <GuidePanel connector={connector} />
      </div>
      {leave.question}
    </form>
  );
}
