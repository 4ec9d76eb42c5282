import { Modal, type ModalProps } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useReturnFocus } from './use-return-focus';

/** A dialog that is there while it is rendered. Escape and a click beside it close it; then the focus is back at what opened it. */
export function Dialog(props: Omit<ModalProps, 'opened' | 'closeButtonProps' | 'returnFocus'>) {
  const { t } = useTranslation();
  useReturnFocus();
  return (
    <Modal
      opened
      returnFocus={false}
      closeButtonProps={{ 'aria-label': t('common.close') }}
      {...props}
    />
  );
}
