import { Button, Checkbox, Group, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { formatMoment } from '@/shared/format';
import { CopyButton, ErrorMessage, Fact, Facts, Message, ui } from '@/shared/ui';
import { type Certificate, useTrust } from '../data';

export function CertificateFacts({ certificate }: { certificate: Certificate }) {
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

interface DecisionProps {
  /** One that was refused. */
  certificate: Certificate;
  /** What trusting it means here. */
  meaning: string;
  onTrusted: () => void;
}

/** Which check a server's certificate has failed, and the decision about it: never without a comparison. */
export function Decision({ certificate, meaning, onTrusted }: DecisionProps) {
  const { t } = useTranslation();
  const trust = useTrust();
  const [compared, setCompared] = useState(false);
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
      <Text size="sm">{meaning}</Text>
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
          onClick={() => trust.mutate(certificate.id, { onSuccess: onTrusted })}
        >
          {t('trust.submit')}
        </Button>
      </Group>
    </Stack>
  );
}

interface UsProps {
  own: readonly Certificate[];
  /** Certificates stand in the settings of a draft, where nobody has read them yet. */
  given?: boolean;
}

/** The other direction: what we show, and what the server's administrator does with it. */
export function Us({ own, given = false }: UsProps) {
  const { t } = useTranslation();
  if (own.length === 0)
    return <Text size="sm">{t(given ? 'trust.us.given' : 'trust.us.none')}</Text>;
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
