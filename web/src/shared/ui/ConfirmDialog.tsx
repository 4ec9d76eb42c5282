import { Button, Group, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Dialog } from './Dialog';
import { ErrorMessage } from './Message';

interface ConfirmDialogProps {
  title: string;
  children: ReactNode;
  action: string;
  pending: boolean;
  error: unknown;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks before something that cannot be undone. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  const { t } = useTranslation();
  return (
    <Dialog onClose={props.onClose} title={props.title}>
      <Text size="sm" component="div">
        {props.children}
      </Text>
      {props.error !== null && props.error !== undefined && <ErrorMessage error={props.error} />}
      <Group justify="flex-end" mt="lg" gap="xs">
        <Button variant="default" onClick={props.onClose}>
          {t('common.cancel')}
        </Button>
        <Button color="red" loading={props.pending} onClick={props.onConfirm}>
          {props.action}
        </Button>
      </Group>
    </Dialog>
  );
}
