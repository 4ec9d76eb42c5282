import { Text } from '@mantine/core';
import { IconUser } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, ask } from '@/shared/api';
import type { Me } from '@/shared/data/session';
import { formatMoment } from '@/shared/format';
import { EmptyState, ErrorMessage, Loading, Panel, TableScroll, ui } from '@/shared/ui';
import { TokensPanel } from './TokensPanel';

function UsersPanel({ me }: { me: Me }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery({
    queryKey: ['users'],
    queryFn: async () =>
      (await ask(api.GET('/users', { params: { query: { limit: 1000 } } }))).items,
  });
  return (
    <Panel title={t('settings.users.title')} flush>
      {error && <ErrorMessage error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Loading />}
      {data?.length === 0 && (
        <EmptyState
          icon={<IconUser size={36} stroke={1.2} aria-hidden />}
          title={t('settings.users.empty')}
          text={t('settings.users.emptyText')}
        />
      )}
      {data && data.length > 0 && (
        <TableScroll>
          <table className={ui.table}>
            <thead>
              <tr>
                <th scope="col">{t('settings.users.name')}</th>
                <th scope="col">{t('settings.users.role')}</th>
                <th scope="col">{t('common.created')}</th>
              </tr>
            </thead>
            <tbody>
              {data.map((user) => (
                <tr key={user.id}>
                  <td>
                    {user.username}{' '}
                    {user.username === me.name && (
                      <span className={ui.label}>{t('settings.users.you')}</span>
                    )}
                  </td>
                  <td>{user.role}</td>
                  <td>{formatMoment(user.createdAt)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableScroll>
      )}
      <Text size="xs" c="dimmed" px="md" py="sm">
        {t('settings.users.roles')}
      </Text>
    </Panel>
  );
}

/** Who may do what: people, and programs by their tokens. */
export default function AccessTab({ me }: { me: Me }) {
  return (
    <>
      <UsersPanel me={me} />
      {me.role === 'admin' && <TokensPanel />}
    </>
  );
}
