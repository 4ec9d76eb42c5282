import { Stack } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { type Connection, useConnector } from '@/shared/data/connections';
import type { JsonSchema } from '@/shared/form';
import { ErrorMessage, Loading, Message, notifyDone, Panel } from '@/shared/ui';
import { Dialog } from '@/shared/ui/Dialog';
import { type Certificate, useCertificates } from '../data';
import { Decision, Us } from './Certificate';
import { ownIn } from './own';

/** What the server has shown, and the decision about what it showed last. */
function TheServer({ connection, shown }: { connection: Connection; shown: Certificate[] }) {
  const { t } = useTranslation();
  const waiting = shown
    .filter((one) => one.state === 'rejected')
    .sort((a, b) => (b.lastSeenAt ?? '').localeCompare(a.lastSeenAt ?? ''));
  const certificate = waiting[0];
  if (!certificate)
    return (
      <Message tone="info">
        {shown.some((one) => one.state === 'trusted') ? t('trust.decided') : t('trust.notSeen')}
      </Message>
    );
  return (
    <Decision
      certificate={certificate}
      meaning={t('trust.what')}
      onTrusted={() => notifyDone(t('trust.done', { name: connection.name }))}
    />
  );
}

/** Trust in both directions: whether we believe the server, and how the server comes to believe us. */
export function TrustDialog({
  connection,
  onClose,
}: {
  connection: Connection;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const { data, error, refetch } = useCertificates();
  const { data: connector } = useConnector(connection.type);
  const ofRole = (role: string, connectionId: string | null = connection.id) =>
    (data ?? []).filter((one) =>
      one.usedBy.some((use) => use.connectionId === connectionId && use.role === role),
    );
  const schema = (connector?.connectionSchema ?? {}) as JsonSchema;
  const { application } = ownIn(schema, connection.settings);
  const own = [...ofRole('client'), ...(application ? ofRole('client', null) : [])];
  return (
    <Dialog size="xl" onClose={onClose} title={t('trust.title', { name: connection.name })}>
      {error && <ErrorMessage error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Loading />}
      {data && (
        <Stack gap="md">
          <Panel title={t('trust.server')}>
            <TheServer connection={connection} shown={ofRole('server')} />
          </Panel>
          <Panel title={t('trust.us.title')}>
            <Us own={own} />
          </Panel>
        </Stack>
      )}
    </Dialog>
  );
}
