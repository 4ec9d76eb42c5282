import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { AuthCard } from './AuthCard';
import classes from './auth.module.css';
import { SignInForm } from './SignInForm';

/**
 * Covers the page when the session has ended. A modal dialog of the browser: it lies above every other dialog, and what is under
 * it can be neither read nor reached, yet stays as it was.
 */
export function SignInAgain({ name }: { name: string }) {
  const { t } = useTranslation();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (!element) return;
    const open = () => element.showModal();
    open();
    // A browser that does not know `closedby` closes a dialog at the second Escape, whatever the page says to it.
    element.addEventListener('close', open);
    return () => {
      element.removeEventListener('close', open);
      element.close();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      className={classes.again}
      aria-label={t('auth.signIn.title')}
      closedby="none"
      onCancel={(event) => event.preventDefault()}
    >
      <AuthCard over title={t('auth.signIn.title')}>
        <SignInForm known={name} />
      </AuthCard>
    </dialog>
  );
}
