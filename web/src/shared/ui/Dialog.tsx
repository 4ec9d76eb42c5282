import { Modal, type ModalProps } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useReturnFocus } from './use-return-focus';

/** A button that is disabled or goes away drops the focus behind the dialog; the dialog takes it. */
function holdFocus(inside: HTMLElement | null) {
  const dialog = inside?.closest<HTMLElement>('[role="dialog"]');
  if (!dialog) return undefined;
  const watch = new MutationObserver(() => {
    if (document.activeElement === document.body) dialog.focus({ preventScroll: true });
  });
  watch.observe(dialog, { subtree: true, childList: true, attributeFilter: ['disabled'] });
  return () => watch.disconnect();
}

/** A dialog that is there while it is rendered. Escape and a click beside it close it; then the focus is back at what opened it. */
export function Dialog({
  children,
  ...props
}: Omit<ModalProps, 'opened' | 'closeButtonProps' | 'returnFocus'>) {
  const { t } = useTranslation();
  useReturnFocus();
  return (
    <Modal
      opened
      returnFocus={false}
      closeButtonProps={{ 'aria-label': t('common.close') }}
      {...props}
    >
      <div ref={holdFocus}>{children}</div>
    </Modal>
  );
}
