import { Button, Group, NativeSelect, Stack, Text, TextInput } from '@mantine/core';
import { IconKey, IconPlus } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError, api, ask, type Schemas } from '@/shared/api';
import { hubNow } from '@/shared/data/clock';
import { formatMoment } from '@/shared/format';
import {
  Ago,
  CopyButton,
  EmptyState,
  ErrorMessage,
  Loading,
  Message,
  notifyDone,
  Panel,
  TableScroll,
  ui,
} from '@/shared/ui';
import { ConfirmDialog } from '@/shared/ui/ConfirmDialog';
import { Dialog } from '@/shared/ui/Dialog';

type Token = Schemas['Token'];

const key = ['tokens'] as const;
const kDay = 86_400_000;
const kExpiries = { d30: 30, d90: 90, d365: 365, never: 0 };
type Expiry = keyof typeof kExpiries;

function CreateDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [expiry, setExpiry] = useState<Expiry>('d90');
  const create = useMutation({
    mutationFn: () => {
      const days = kExpiries[expiry];
      const expiresAt = days > 0 ? new Date(hubNow() + days * kDay).toISOString() : null;
      return ask(api.POST('/tokens', { body: { name: name.trim(), role: 'admin', expiresAt } }));
    },
    onSuccess: () => client.invalidateQueries({ queryKey: key }),
  });
  const made = create.data;
  const nameError =
    create.error instanceof ApiError
      ? create.error.fields.find((field) => field.pointer === '/name')?.message
      : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() !== '') create.mutate();
  };
  return (
    <Dialog
      onClose={onClose}
      closeOnClickOutside={!made}
      title={
        made ? t('settings.tokens.madeTitle', { name: made.name }) : t('settings.tokens.create')
      }
    >
      {made ? (
        <Stack>
          <Message tone="warn">{t('settings.tokens.madeText')}</Message>
          <pre className={ui.code} data-testid="token">
            {made.token}
          </pre>
          <Group justify="flex-end" gap="xs">
            <CopyButton text={() => made.token ?? ''} />
            <Button onClick={onClose}>{t('settings.tokens.done')}</Button>
          </Group>
        </Stack>
      ) : (
        <form onSubmit={submit}>
          <Stack>
            <TextInput
              label={t('common.name')}
              description={t('settings.tokens.nameHelp')}
              inputWrapperOrder={['label', 'input', 'error', 'description']}
              data-autofocus
              maxLength={100}
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              error={nameError}
            />
            <NativeSelect
              label={t('settings.tokens.expires')}
              value={expiry}
              onChange={(event) => setExpiry(event.currentTarget.value as Expiry)}
              data={(Object.keys(kExpiries) as Expiry[]).map((value) => ({
                value,
                label: t(`settings.tokens.expiry.${value}`),
              }))}
            />
            {create.error && !nameError && <ErrorMessage error={create.error} />}
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={onClose}>
                {t('common.cancel')}
              </Button>
              <Button type="submit" loading={create.isPending} disabled={name.trim() === ''}>
                {t('settings.tokens.create')}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Dialog>
  );
}

function RevokeDialog({ token, onClose }: { token: Token; onClose: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => ask(api.DELETE('/tokens/{id}', { params: { path: { id: token.id } } })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: key });
      notifyDone(t('settings.tokens.revoked', { name: token.name }));
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={t('settings.tokens.revokeTitle', { name: token.name })}
      action={t('settings.tokens.revoke')}
      pending={revoke.isPending}
      error={revoke.error}
      onConfirm={() => revoke.mutate()}
      onClose={onClose}
    >
      {t('settings.tokens.revokeText')}
    </ConfirmDialog>
  );
}

/** Access tokens: list, make, revoke. */
export function TokensPanel() {
  const { t } = useTranslation();
  const [creating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<Token | null>(null);
  const { data, error, refetch } = useQuery({
    queryKey: key,
    queryFn: async () =>
      (await ask(api.GET('/tokens', { params: { query: { limit: 1000 } } }))).items,
  });
  const create = (
    <Button
      size="compact-md"
      leftSection={<IconPlus size={16} />}
      onClick={() => setCreating(true)}
    >
      {t('settings.tokens.create')}
    </Button>
  );
  return (
    <Panel
      title={t('settings.tokens.title')}
      aside={data && data.length > 0 ? create : undefined}
      flush
    >
      {error && <ErrorMessage error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Loading />}
      {data?.length === 0 && (
        <EmptyState
          icon={<IconKey size={36} stroke={1.2} aria-hidden />}
          title={t('settings.tokens.empty')}
          text={t('settings.tokens.emptyText')}
          action={create}
        />
      )}
      {data && data.length > 0 && (
        <TableScroll>
          <table className={ui.table}>
            <thead>
              <tr>
                <th scope="col">{t('common.name')}</th>
                <th scope="col">{t('settings.tokens.role')}</th>
                <th scope="col">{t('common.created')}</th>
                <th scope="col">{t('settings.tokens.expires')}</th>
                <th scope="col">{t('settings.tokens.lastUsed')}</th>
                <th scope="col">
                  <span className={ui.hidden}>{t('common.actions')}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {data.map((token) => (
                <tr key={token.id}>
                  <td>{token.name}</td>
                  <td>{token.role}</td>
                  <td>{formatMoment(token.createdAt)}</td>
                  <td>{token.expiresAt ? formatMoment(token.expiresAt) : t('common.never')}</td>
                  <td>{token.lastUsedAt ? <Ago at={token.lastUsedAt} /> : t('common.never')}</td>
                  <td data-number>
                    <Button
                      size="compact-sm"
                      variant="default"
                      aria-label={`${t('settings.tokens.revoke')}: ${token.name}`}
                      onClick={() => setRevoking(token)}
                    >
                      {t('settings.tokens.revoke')}
                    </Button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableScroll>
      )}
      <Text size="xs" c="dimmed" px="md" py="sm">
        {t('settings.tokens.intro')}
      </Text>
      {creating && <CreateDialog onClose={() => setCreating(false)} />}
      {revoking && <RevokeDialog token={revoking} onClose={() => setRevoking(null)} />}
    </Panel>
  );
}
