import { NativeSelect, Switch, Textarea, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { LabelsInput } from '@/shared/form/LabelsInput';
import classes from '../connections.module.css';
import { environmentOf, kEnvironmentLabel, kEnvironments } from '../environment';
import type { ConnectionFormState } from './use-connection-form';

/** What every connection has, whatever it leads to. */
export function IdentityFields({
  form,
  isNew,
  autoFocus,
}: {
  form: ConnectionFormState;
  isNew: boolean;
  autoFocus?: boolean;
}) {
  const { t } = useTranslation();
  const { common, set, nameError } = form;
  const { [kEnvironmentLabel]: _, ...labels } = common.labels;
  const environment = environmentOf(common.labels) ?? '';
  const withEnvironment = (value: string, others: Record<string, string>) =>
    value === '' ? others : { ...others, [kEnvironmentLabel]: value };
  return (
    <div className={classes.formGrid}>
      <TextInput
        label={t('common.name')}
        data-pointer="/name"
        placeholder={t('editConnection.namePlaceholder')}
        withAsterisk
        autoFocus={autoFocus}
        value={common.name}
        maxLength={100}
        onChange={(event) => set({ name: event.currentTarget.value })}
        error={nameError.fromServer ?? (nameError.missing && t('form.error.required'))}
      />
      <NativeSelect
        label={t('environment.label')}
        description={t('environment.help')}
        inputWrapperOrder={['label', 'input', 'error', 'description']}
        value={environment}
        onChange={(event) => set({ labels: withEnvironment(event.currentTarget.value, labels) })}
        data={[
          { value: '', label: t('environment.none') },
          ...kEnvironments.map((value) => ({ value, label: t(`environment.${value}`) })),
        ]}
      />
      <LabelsInput
        label={t('editConnection.labels')}
        description={t('editConnection.labelsHelp')}
        value={labels}
        onChange={(next) => set({ labels: withEnvironment(environment, next) })}
      />
      <Textarea
        label={t('common.description')}
        autosize
        minRows={1}
        maxRows={5}
        value={common.description}
        onChange={(event) => set({ description: event.currentTarget.value })}
      />
      <Switch
        className={classes.wide}
        label={isNew ? t('editConnection.autostart') : t('editConnection.autostartEdit')}
        checked={common.autostart}
        onChange={(event) => set({ autostart: event.currentTarget.checked })}
      />
    </div>
  );
}
