import { Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { SchemaForm } from '@/shared/form';
import classes from '../connections.module.css';
import type { ConnectionFormState } from './use-connection-form';

/** How it is brought back and how long it is waited for. Folded, because the defaults of the family fit nearly everybody. */
export function ReconnectFields({ form }: { form: ConnectionFormState }) {
  const { t } = useTranslation();
  const { reconnect, chosenReconnect } = form;
  return (
    <details
      className={classes.folded}
      data-area="/reconnect"
      open={chosenReconnect || reconnect.errors.size > 0 || undefined}
    >
      <summary>{t('editConnection.reconnect')}</summary>
      <Text size="sm" c="dimmed" mb="sm">
        {t('editConnection.reconnectHelp')}
      </Text>
      <SchemaForm form={reconnect} idPrefix="reconnect" />
    </details>
  );
}
