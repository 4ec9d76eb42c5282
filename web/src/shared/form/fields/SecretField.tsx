import { Button, Group, PasswordInput, Text } from '@mantine/core';
import { IconLock, IconLockOpen } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormContext } from '../context';
import classes from '../SchemaForm.module.css';
import { type FieldProps, fieldId, labelOf } from './types';

/** A secret is write-only: what is stored shows as "set" or "not set", and can be replaced or removed. */
export function SecretField({ name, schema, required }: FieldProps) {
  const { t } = useTranslation();
  const form = useFormContext();
  const [replacing, setReplacing] = useState(false);
  const stored = form.storedSecrets[name];
  const draft = form.secrets[name];
  const label = labelOf(name, schema);
  const id = fieldId(form.idPrefix, `/secrets/${name}`);
  const open = !stored?.set || replacing || draft !== undefined;

  if (draft === null || !open) {
    return (
      <div className={classes.secret} data-pointer={`/secrets/${name}`}>
        <Text component="span" className={classes.label} id={id}>
          {label}
        </Text>
        <Group gap="xs" wrap="nowrap" className={classes.secretRow}>
          {draft === null ? (
            <IconLockOpen size={16} aria-hidden />
          ) : (
            <IconLock size={16} aria-hidden />
          )}
          <Text size="sm">
            {draft === null
              ? t('form.secret.willBeRemoved')
              : stored?.changedAt
                ? t('form.secret.setAt', { at: new Date(stored.changedAt) })
                : t('form.secret.set')}
          </Text>
          {draft === null ? (
            <Button
              variant="subtle"
              size="compact-xs"
              onClick={() => form.setSecret(name, undefined)}
            >
              {t('form.secret.keep')}
            </Button>
          ) : (
            <>
              <Button
                variant="subtle"
                size="compact-xs"
                aria-describedby={id}
                onClick={() => setReplacing(true)}
              >
                {t('form.secret.replace')}
              </Button>
              <Button
                variant="subtle"
                color="red"
                size="compact-xs"
                aria-describedby={id}
                onClick={() => form.setSecret(name, null)}
              >
                {t('form.secret.remove')}
              </Button>
            </>
          )}
        </Group>
        {schema.description && (
          <Text size="xs" c="dimmed">
            {schema.description}
          </Text>
        )}
      </div>
    );
  }
  return (
    <PasswordInput
      id={id}
      data-pointer={`/secrets/${name}`}
      label={label}
      description={schema.description}
      inputWrapperOrder={['label', 'input', 'error', 'description']}
      withAsterisk={required}
      autoComplete="new-password"
      placeholder={stored?.set ? t('form.secret.typeNew') : t('form.secret.notSet')}
      value={draft ?? ''}
      error={form.secretErrors.get(name)}
      visibilityToggleButtonProps={{ 'aria-label': t('form.secret.show') }}
      onChange={(event) => form.setSecret(name, event.currentTarget.value || undefined)}
    />
  );
}
