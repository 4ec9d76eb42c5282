import { Button, Group, Loader, Text } from '@mantine/core';
import { IconArrowRight, IconCircleCheck, IconCircleX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { hubNow } from '@/shared/data/clock';
import type { Diagnosis } from '@/shared/data/connections';
import { formatSpan } from '@/shared/format';
import { CopyButton, Message, ToneBadge, ui } from '@/shared/ui';
import classes from '../connections.module.css';
import { diagnosisText, type Tested } from './copy';

interface DiagnosisResultProps {
  diagnosis: Diagnosis | undefined;
  pending: boolean;
  /** The settings are not those that were tested any more. */
  stale: boolean;
  about: Tested;
  onGoTo: (pointer: string) => void;
  /** Where a person can decide about the server's certificate; absent where none is known. */
  onTrust?: () => void;
}

const kKeys = [
  'cannot_connect',
  'invalid_auth',
  'untrusted_certificate',
  'wrong_port_or_protocol',
  'permission_denied',
  'timeout',
] as const;

type Stage = Diagnosis['stages'][number];

function Failure({
  stage,
  about,
  diagnosis,
  onGoTo,
  onTrust,
}: Pick<DiagnosisResultProps, 'about' | 'onGoTo' | 'onTrust'> & {
  stage: Stage;
  diagnosis: Diagnosis;
}) {
  const { t } = useTranslation();
  const { error } = stage;
  if (!error) return null;
  const key = kKeys.find((known) => known === error.code);
  const causes = key ? Object.values(t(`diagnosis.causes.${key}`, { returnObjects: true })) : [];
  return (
    <div>
      <Text size="sm">
        <strong>{key ? t(`diagnosis.key.${key}`) : error.code}.</strong> {error.message}
      </Text>
      {error.hint && (
        <Text size="sm" mt={4}>
          {error.hint}
        </Text>
      )}
      {causes.length > 0 && (
        <section aria-label={t('diagnosis.likely')}>
          <h3 className={classes.partTitle}>{t('diagnosis.likely')}</h3>
          <ul className={classes.hits}>
            {causes.map((cause) => (
              <li key={cause}>{cause}</li>
            ))}
          </ul>
        </section>
      )}
      <Group gap="xs" mt="xs">
        {key === 'untrusted_certificate' && onTrust && (
          <Button size="compact-sm" onClick={onTrust}>
            {t('trust.open')}
          </Button>
        )}
        {error.pointer && (
          <Button
            size="compact-sm"
            variant="light"
            rightSection={<IconArrowRight size={14} />}
            onClick={() => onGoTo(error.pointer ?? '')}
          >
            {t('diagnosis.goTo')}
          </Button>
        )}
        <CopyButton
          label={t('diagnosis.copy')}
          text={() => diagnosisText(diagnosis, about, new Date(hubNow()))}
        />
      </Group>
      <details className={classes.raw}>
        <summary>{t('diagnosis.raw')}</summary>
        <pre className={ui.code}>{JSON.stringify(stage, null, 2)}</pre>
      </details>
    </div>
  );
}

/** The stages of a test with time and verdict, and what to do about the one that failed. */
export function DiagnosisResult(props: DiagnosisResultProps) {
  const { t } = useTranslation();
  const { diagnosis, pending, stale } = props;
  if (pending) {
    return (
      <Group gap="xs" role="status">
        <Loader size="xs" />
        <Text size="sm">{t('editConnection.testing')}</Text>
      </Group>
    );
  }
  if (!diagnosis) {
    return (
      <Text size="sm" c="dimmed">
        {t('editConnection.whyTest')}
      </Text>
    );
  }
  const failed = diagnosis.stages.find((stage) => !stage.ok);
  return (
    <div className={classes.column}>
      <div role="status">
        <Message tone={diagnosis.success ? 'good' : 'bad'}>
          {diagnosis.success
            ? t('diagnosis.ok')
            : t('diagnosis.failed', { stage: failed ? t(`diagnosis.stage.${failed.stage}`) : '' })}
        </Message>
      </div>
      {stale && (
        <Text size="xs" c="dimmed">
          {t('diagnosis.stale')}
        </Text>
      )}
      <ol className={classes.stages}>
        {diagnosis.stages.map((stage) => (
          <li key={stage.stage} className={classes.stage}>
            <ToneBadge
              plain
              tone={stage.ok ? 'good' : 'bad'}
              icon={stage.ok ? IconCircleCheck : IconCircleX}
            >
              {t(`diagnosis.stage.${stage.stage}`)}
            </ToneBadge>
            <span className={classes.stageTime}>
              {t(`diagnosis.verdict.${stage.ok ? 'ok' : 'failed'}`)},{' '}
              {formatSpan(stage.durationMs, t)}
            </span>
          </li>
        ))}
      </ol>
      {failed && <Failure {...props} diagnosis={diagnosis} stage={failed} />}
    </div>
  );
}
