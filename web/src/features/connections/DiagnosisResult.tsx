import { Button, Group, Loader, Text } from '@mantine/core';
import { IconArrowRight, IconCircleCheck, IconCircleX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Diagnosis } from '@/shared/data/connections';
import { formatSpan } from '@/shared/format';
import { CopyButton, Message, ToneBadge } from '@/shared/ui';
import classes from './connections.module.css';

interface DiagnosisResultProps {
  diagnosis: Diagnosis | undefined;
  pending: boolean;
  /** The settings are not those that were tested any more. */
  stale: boolean;
  onGoTo: (pointer: string) => void;
}

const kKeys = [
  'cannot_connect',
  'invalid_auth',
  'untrusted_certificate',
  'wrong_port_or_protocol',
  'permission_denied',
  'timeout',
] as const;

/** The stages of a test with time and verdict, and what to do about the one that failed. */
export function DiagnosisResult({ diagnosis, pending, stale, onGoTo }: DiagnosisResultProps) {
  const { t } = useTranslation();
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
  const error = failed?.error;
  const key = kKeys.find((known) => known === error?.code);
  return (
    <div className={classes.column} role="status">
      <Message tone={diagnosis.success ? 'good' : 'bad'}>
        {diagnosis.success
          ? t('diagnosis.ok')
          : t('diagnosis.failed', { stage: failed ? t(`diagnosis.stage.${failed.stage}`) : '' })}
      </Message>
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
              title={t(`diagnosis.verdict.${stage.ok ? 'ok' : 'failed'}`)}
            >
              {t(`diagnosis.stage.${stage.stage}`)}
            </ToneBadge>
            <span className={classes.stageTime}>{formatSpan(stage.durationMs, t)}</span>
          </li>
        ))}
      </ol>
      {error && (
        <div>
          {key && (
            <Text size="sm" fw={600}>
              {t(`diagnosis.key.${key}`)}
            </Text>
          )}
          <Text size="sm">{error.message}</Text>
          {error.hint && (
            <Text size="sm" mt={4}>
              {error.hint}
            </Text>
          )}
          <Group gap="xs" mt="xs">
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
              text={() => JSON.stringify(diagnosis, null, 2)}
            />
          </Group>
          <details className={classes.raw}>
            <summary>{t('diagnosis.raw')}</summary>
            {error.class} · {error.code}
          </details>
        </div>
      )}
    </div>
  );
}
