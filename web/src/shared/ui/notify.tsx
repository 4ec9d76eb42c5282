import { notifications } from '@mantine/notifications';
import { IconAlertTriangle, IconCheck } from '@tabler/icons-react';
import { i18n } from '@/shared/i18n';

const closeButton = () => ({ 'aria-label': i18n.t('common.close') });

/** Says that something worked; goes away by itself. */
export function notifyDone(message: string): void {
  notifications.show({
    message,
    color: 'green',
    icon: <IconCheck size={16} />,
    autoClose: 4000,
    closeButtonProps: closeButton(),
  });
}

/** Says that something failed; stays until it is closed. */
export function notifyFailed(title: string, message: string): void {
  notifications.show({
    title,
    message,
    color: 'red',
    icon: <IconAlertTriangle size={16} />,
    autoClose: false,
    closeButtonProps: closeButton(),
  });
}
