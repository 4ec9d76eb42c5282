import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation, useNavigate } from 'react-router';
import { ApiError, api, ask } from '@/shared/api';
import { sessionKeys } from '@/shared/data/session';
import { ErrorMessage } from '@/shared/ui';
import { AuthCard } from './AuthCard';
import classes from './auth.module.css';

const kMinPassword = 12;
const kNext = '/welcome';

/** The code in the fragment of the link that the hub prints (…/setup#code=7F3K-Q2MD). A fragment never leaves the browser. */
export function codeFromLink(hash: string): string {
  return new URLSearchParams(hash.replace(/^#(\/setup\?)?/, '')).get('code') ?? '';
}

/** First start: the setup code becomes an administrator, who is then signed in. */
export default function SetupPage() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [fromLink] = useState(() => codeFromLink(location.hash));
  const [code, setCode] = useState(fromLink);
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [tried, setTried] = useState(false);
  const setup = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/auth/setup', { body: { code: code.trim().toUpperCase(), username, password } }),
      ),
    onSuccess: () => navigate(kNext, { replace: true }),
  });
  const me = setup.data;
  const arrived = useLocation().pathname === kNext;
  useEffect(() => {
    // First the address, then who is signed in: the page of the old address would lead elsewhere.
    if (!me || !arrived) return;
    client.setQueryData(sessionKeys.setup, false);
    client.setQueryData(sessionKeys.me, me);
  }, [me, arrived, client]);
  const fieldError = (pointer: string) =>
    setup.error instanceof ApiError
      ? setup.error.fields.find((field) => field.pointer === pointer)?.message
      : undefined;
  const missing = kMinPassword - password.length;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (code.trim() !== '' && username.trim() !== '' && missing <= 0) setup.mutate();
  };

  return (
    <AuthCard title={t('auth.setup.title')} intro={t('auth.setup.intro')}>
      <form className={classes.form} onSubmit={submit} noValidate>
        <TextInput
          label={t('auth.setup.code')}
          description={fromLink ? t('auth.setup.codeFromLink') : t('auth.setup.codeHelp')}
          inputWrapperOrder={['label', 'input', 'error', 'description']}
          classNames={{ input: classes.codeInput ?? '' }}
          value={code}
          onChange={(event) => setCode(event.currentTarget.value)}
          autoFocus={!fromLink}
          autoComplete="one-time-code"
          spellCheck={false}
          error={fieldError('/code') ?? (tried && code.trim() === '' && t('form.error.required'))}
        />
        <TextInput
          label={t('auth.setup.username')}
          value={username}
          onChange={(event) => setUsername(event.currentTarget.value)}
          autoFocus={Boolean(fromLink)}
          autoComplete="username"
          error={
            fieldError('/username') ?? (tried && username.trim() === '' && t('form.error.required'))
          }
        />
        <PasswordInput
          label={t('auth.setup.password')}
          description={t('auth.setup.passwordHelp')}
          inputWrapperOrder={['label', 'input', 'error', 'description']}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          autoComplete="new-password"
          visibilityToggleButtonProps={{ 'aria-label': t('auth.showPassword') }}
          error={
            fieldError('/password') ?? (tried && missing > 0 && t('auth.tooShort', { missing }))
          }
        />
        {setup.error && !(setup.error instanceof ApiError && setup.error.fields.length > 0) && (
          <ErrorMessage error={setup.error} />
        )}
        <Button type="submit" loading={setup.isPending} mt="xs">
          {t('auth.setup.submit')}
        </Button>
      </form>
    </AuthCard>
  );
}
