import { useTranslation } from 'react-i18next';
import { type Connection, useConnectionCommand } from '@/shared/data/connections';
import { notifyDone } from '@/shared/ui';
import { SuspendDialog } from './SuspendDialog';

/** Asks why and how long, and suspends one connection. */
export function SuspendOne({
  connection,
  onClose,
}: {
  connection: Connection;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const command = useConnectionCommand(connection.id);
  return (
    <SuspendDialog
      title={t('suspend.title', { name: connection.name })}
      ids={[connection.id]}
      pending={command.isPending}
      error={command.error}
      onClose={onClose}
      onSuspend={(suspend) =>
        command.mutate(
          { command: 'suspend', ...suspend },
          {
            onSuccess: () => {
              notifyDone(t('connection.done.suspend', { name: connection.name }));
              onClose();
            },
          },
        )
      }
    />
  );
}
