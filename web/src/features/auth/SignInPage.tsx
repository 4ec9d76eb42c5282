import { useTranslation } from 'react-i18next';
import { AuthCard } from './AuthCard';
import { SignInForm } from './SignInForm';

/** Shown in place of any page while nobody is signed in, so that signing in leads to where one was. */
export function SignInPage() {
  const { t } = useTranslation();
  return (
    <AuthCard title={t('auth.signIn.title')}>
      <SignInForm />
    </AuthCard>
  );
}
