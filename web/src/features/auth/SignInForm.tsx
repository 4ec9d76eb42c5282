import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, ask } from '@/shared/api';
import { sessionKeys } from '@/shared/data/session';
import { ErrorMessage, Message } from '@/shared/ui';
import classes from './auth.module.css';

/** `known`: who was signed in until the session ended. */
export function SignInForm({ known }: { known?: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [username, setUsername] = useState(known ?? '');
  const [password, setPassword] = useState('');
  const login = useMutation({
    mutationFn: () => ask(api.POST('/auth/login', { body: { username, password } })),
    onSuccess: (me) => client.setQueryData(sessionKeys.me, me),
    onError: () => setPassword(''),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    // A dialog is part of the page's tree: what is sent here is no event of a form around it.
    event.stopPropagation();
    if (username !== '' && password !== '') login.mutate();
  };
  return (
    <form className={classes.form} onSubmit={submit}>
      {known && !login.error && <Message tone="info">{t('auth.signIn.ended')}</Message>}
      <TextInput
        label={t('auth.signIn.username')}
        value={username}
        onChange={(event) => setUsername(event.currentTarget.value)}
        autoFocus={!known}
        autoComplete="username"
        required
        withAsterisk={false}
      />
      <PasswordInput
        label={t('auth.signIn.password')}
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
        autoFocus={known !== undefined}
        autoComplete="current-password"
        visibilityToggleButtonProps={{ 'aria-label': t('auth.showPassword') }}
        required
        withAsterisk={false}
      />
      {login.error && <ErrorMessage error={login.error} />}
      <Button type="submit" loading={login.isPending} mt="xs">
        {t('auth.signIn.submit')}
      </Button>
    </form>
  );
}
