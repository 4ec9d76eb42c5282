import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Connector, Diagnosis } from '@/shared/data/connections';
import type { JsonObject } from '@/shared/form';
import { notifyDone } from '@/shared/ui';
import { DraftTrustDialog } from '../trust/DraftTrustDialog';
import { DiagnosisResult } from './DiagnosisResult';

interface DraftDiagnosisProps {
  connector: Connector;
  settings: JsonObject;
  diagnosis: Diagnosis | undefined;
  pending: boolean;
  /** The settings are not those that were tested any more. */
  stale: boolean;
  onGoTo: (pointer: string) => void;
  onTestAgain: () => void;
}

/** The test of what is not saved yet. A certificate that it refused is decided about here, and the test is made again. */
export function DraftDiagnosis(props: DraftDiagnosisProps) {
  const { connector, settings, diagnosis, pending, stale, onGoTo, onTestAgain } = props;
  const { t } = useTranslation();
  const [deciding, setDeciding] = useState(false);
  const shown = diagnosis?.certificate;
  // One that is trusted already was refused for a reason that no trust takes away.
  const refused = !stale && shown?.state === 'rejected' ? shown : null;
  return (
    <>
      <DiagnosisResult
        diagnosis={diagnosis}
        pending={pending}
        stale={stale}
        about={{ type: connector.type, settings }}
        onGoTo={onGoTo}
        {...(refused ? { onTrust: () => setDeciding(true) } : {})}
      />
      {deciding && refused && (
        <DraftTrustDialog
          connector={connector}
          settings={settings}
          certificate={refused}
          onTrusted={() => {
            setDeciding(false);
            notifyDone(t('trust.doneDraft'));
            onTestAgain();
          }}
          onClose={() => setDeciding(false)}
        />
      )}
    </>
  );
}
