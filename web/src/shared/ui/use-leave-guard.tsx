import { type ReactNode, useCallback, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { useBlocker } from 'react-router';
import { ConfirmDialog } from './ConfirmDialog';

interface LeaveGuard {
  /** The question, while there is one; render it anywhere. */
  question: ReactNode;
  /** Call it before a navigation that leaves nothing unsaved behind, such as the one after saving. */
  release: () => void;
}

/**
 * Asks before what was typed is lost: by a link, the browser's back button, a closed tab. Only another path counts; what a
 * page keeps in its search parameters or fragment may change.
 */
export function useLeaveGuard(dirty: boolean): LeaveGuard {
  const { t } = useTranslation();
  const guarding = useRef(dirty);
  useEffect(() => {
    guarding.current = dirty;
    if (!dirty) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [dirty]);
  const blocker = useBlocker(
    ({ currentLocation, nextLocation }) =>
      guarding.current && currentLocation.pathname !== nextLocation.pathname,
  );
  const release = useCallback(() => {
    guarding.current = false;
  }, []);
  const question = blocker.state === 'blocked' && (
    <ConfirmDialog
      title={t('leave.title')}
      action={t('leave.action')}
      pending={false}
      error={null}
      onConfirm={() => blocker.proceed()}
      onClose={() => blocker.reset()}
    >
      {t('leave.text')}
    </ConfirmDialog>
  );
  return { question, release };
}
