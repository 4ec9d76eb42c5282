import { Button, Checkbox, Group, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Connection } from '@/shared/data/connections';
import { formatMoment } from '@/shared/format';
import {
  CopyButton,
  ErrorMessage,
  Fact,
  Facts,
  Loading,
  Message,
  notifyDone,
  Panel,
  ui,
} from '@/shared/ui';
import { Dialog } from '@/shared/ui/Dialog';
import { type Certificate, useCertificatesOf, useTrust } from '../data';

function CertificateFacts({ certificate }: { certificate: Certificate }) {
  const { t } = useTranslation();
  const { notBefore, notAfter, daysLeft } = certificate;
  return (
    <Stack gap="xs">
      <Facts>
        <Fact name={t('trust.subject')}>{certificate.subject}</Fact>
        <Fact name={t('trust.names')}>{certificate.names.join(', ') || t('common.none')}</Fact>
        <Fact name={t('trust.issuer')}>
          {certificate.issuer === certificate.subject ? t('trust.selfSigned') : certificate.issuer}
        </Fact>
        <Fact name={t('trust.validity')}>
          {t('trust.period', { from: formatMoment(notBefore), to: formatMoment(notAfter) })}{' '}
          {daysLeft < 0 ? t('trust.expired') : t('trust.daysLeft', { count: daysLeft })}
        </Fact>
        <Fact name={t('trust.sha256')}>
          <span className={ui.mono}>{certificate.sha256}</span>
        </Fact>
      </Facts>
      <Group gap="xs">
        <CopyButton label={t('trust.copyFingerprint')} text={() => certificate.sha256} />
        <CopyButton label={t('trust.copyPem')} text={() => certificate.pem} />
      </Group>
    </Stack>
  );
}

/** What the server has shown, which check it failed, and the decision about it. */
function TheServer({ connection, shown }: { connection: Connection; shown: Certificate[] }) {
  const { t } = useTranslation();
  const trust = useTrust(connection.id);
  const [compared, setCompared] = useState(false);
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
    <Stack gap="md">
      {certificate.reason && (
        <Message tone="bad">
          <p>
            <strong>{t('trust.failedCheck')}</strong> {certificate.reason.message}
          </p>
          <p className={ui.reference}>{certificate.reason.code}</p>
        </Message>
      )}
      <CertificateFacts certificate={certificate} />
      <Text size="sm">{t('trust.what')}</Text>
      <Checkbox
        label={t('trust.compared')}
        checked={compared}
        onChange={(event) => setCompared(event.currentTarget.checked)}
      />
      {trust.error && <ErrorMessage error={trust.error} />}
      <Group justify="flex-end">
        <Button
          disabled={!compared}
          loading={trust.isPending}
          onClick={() =>
            trust.mutate(certificate.id, {
              onSuccess: () => notifyDone(t('trust.done', { name: connection.name })),
            })
          }
        >
          {t('trust.submit')}
        </Button>
      </Group>
    </Stack>
  );
}

/** The other direction: what we show, and what the server's administrator does with it. */
function Us({ own }: { own: Certificate[] }) {
  const { t } = useTranslation();
  if (own.length === 0) return <Text size="sm">{t('trust.us.none')}</Text>;
  return (
    <Stack gap="md">
      <ol>
        {(['copy', 'hand', 'again'] as const).map((step) => (
          <li key={step}>
            <Text size="sm">{t(`trust.us.${step}`)}</Text>
          </li>
        ))}
      </ol>
      {own.map((certificate) => (
        <CertificateFacts key={certificate.id} certificate={certificate} />
      ))}
    </Stack>
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
  const { data, error, refetch } = useCertificatesOf(connection.id);
  const ofRole = (role: string) =>
    (data ?? []).filter((one) =>
      one.usedBy.some((use) => use.connectionId === connection.id && use.role === role),
    );
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
            <Us own={ofRole('client')} />
          </Panel>
        </Stack>
      )}
    </Dialog>
  );
}
