import { Button, Group, Modal, NativeSelect, Stack, Text, Textarea } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/shared/api';
import { hubNow } from '@/shared/data/clock';
import { type Connection, useConnectionCommand } from '@/shared/data/connections';
import { useFunctions } from '@/shared/data/functions';
import { formatSpan } from '@/shared/format';
import { ErrorMessage, notifyDone } from '@/shared/ui';
import classes from './connections.module.css';

const kMinute = 60_000;
const kEnds = [15, 60, 240, 480, 1440].map((minutes) => minutes * kMinute);

/** A pause needs a reason, for the history and the next shift. */
export function SuspendDialog({
  connection,
  onClose,
}: {
  connection: Connection;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const command = useConnectionCommand(connection.id);
  const functions = useFunctions(connection.id);
  const [reason, setReason] = useState('');
  const [end, setEnd] = useState('');
  const [tried, setTried] = useState(false);
  const missing = reason.trim() === '';
  const fromServer =
    command.error instanceof ApiError
      ? command.error.fields.find((field) => field.pointer === '/reason')?.message
      : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (missing) return;
    const until = end === '' ? null : new Date(hubNow() + Number(end)).toISOString();
    command.mutate(
      { command: 'suspend', reason: reason.trim(), until },
      {
        onSuccess: () => {
          notifyDone(t('connection.done.suspend', { name: connection.name }));
          onClose();
        },
      },
    );
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('suspend.title', { name: connection.name })}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          <Text size="sm">{t('suspend.text')}</Text>
          <Textarea
            label={t('suspend.reason')}
            description={t('suspend.reasonHelp')}
            inputWrapperOrder={['label', 'input', 'error', 'description']}
            placeholder={t('suspend.reasonPlaceholder')}
            withAsterisk
            autosize
            minRows={2}
            data-autofocus
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            error={fromServer ?? (tried && missing && t('suspend.reasonMissing'))}
          />
          <NativeSelect
            label={t('suspend.until')}
            value={end}
            onChange={(event) => setEnd(event.currentTarget.value)}
            data={[
              { value: '', label: t('suspend.untilOpen') },
              ...kEnds.map((ms) => ({
                value: String(ms),
                label: t('suspend.untilIn', { span: formatSpan(ms, t) }),
              })),
            ]}
          />
          {functions.data && functions.data.length > 0 && (
            <Text size="sm" component="div">
              {t('suspend.hits', { count: functions.data.length })}
              <ul className={classes.hits}>
                {functions.data.slice(0, 6).map((one) => (
                  <li key={one.id}>{one.name}</li>
                ))}
              </ul>
            </Text>
          )}
          {command.error && !fromServer && <ErrorMessage error={command.error} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              {t('common.cancel')}
            </Button>
            <Button type="submit" loading={command.isPending}>
              {t('suspend.submit')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
