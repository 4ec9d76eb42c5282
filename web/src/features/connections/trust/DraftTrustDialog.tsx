import { Stack } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Connector } from '@/shared/data/connections';
import type { JsonObject, JsonSchema } from '@/shared/form';
import { ErrorMessage, Panel } from '@/shared/ui';
import { Dialog } from '@/shared/ui/Dialog';
import { addressOf } from '../address';
import { type Certificate, useCertificates } from '../data';
import { Decision, Us } from './Certificate';
import { ownIn } from './own';

interface DraftTrustDialogProps {
  connector: Connector;
  settings: JsonObject;
  /** What the server showed the test of the draft. */
  certificate: Certificate;
  onTrusted: () => void;
  onClose: () => void;
}

/** As `TrustDialog`, for what is not saved yet. */
export function DraftTrustDialog(props: DraftTrustDialogProps) {
  const { connector, settings, certificate, onTrusted, onClose } = props;
  const { t } = useTranslation();
  const { application, given } = ownIn(connector.connectionSchema as JsonSchema, settings);
  const { data, error, refetch } = useCertificates();
  const own = (data ?? []).filter((one) =>
    one.usedBy.some((use) => use.connectionId === null && use.role === 'client'),
  );
  return (
    <Dialog
      size="xl"
      onClose={onClose}
      title={t('trust.draftTitle', { address: addressOf({ settings }) })}
    >
      <Stack gap="md">
        <Panel title={t('trust.server')}>
          <Decision
            certificate={certificate}
            meaning={t('trust.whatDraft')}
            onTrusted={onTrusted}
          />
        </Panel>
        <Panel title={t('trust.us.title')}>
          {application && error && <ErrorMessage error={error} onRetry={() => void refetch()} />}
          <Us own={application ? own : []} given={given} />
        </Panel>
      </Stack>
    </Dialog>
  );
}
