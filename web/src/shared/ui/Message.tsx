import { Button } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconInfoCircle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/shared/api';
import type { Tone } from './ToneBadge';
import classes from './ui.module.css';

interface MessageProps {
  tone: Tone;
  children: ReactNode;
  action?: ReactNode;
  alert?: boolean;
}

/** A few sentences that matter here and now. */
export function Message({ tone, children, action, alert }: MessageProps) {
  const Icon =
    tone === 'good'
      ? IconCircleCheck
      : tone === 'info' || tone === 'neutral' || tone === 'hold'
        ? IconInfoCircle
        : IconAlertTriangle;
  return (
    <div className={classes.message} data-tone={tone} role={alert ? 'alert' : undefined}>
      <Icon size={18} aria-hidden />
      <div>{children}</div>
      {action}
    </div>
  );
}

/** What an error says: the sentence, what to do, and where to find it in the log. */
export function useErrorText(): (error: unknown) => {
  message: string;
  hint?: string;
  reference?: string;
} {
  const { t } = useTranslation();
  return (error) => {
    if (!(error instanceof ApiError)) return { message: String(error) };
    if (error.code === 'unreachable') {
      return { message: t('error.unreachable.title'), hint: t('error.unreachable.text') };
    }
    if (error.status === 412) return { message: t('error.changedMeanwhile') };
    return {
      message: error.message || t('error.failed'),
      ...(error.hint ? { hint: error.hint } : {}),
      ...(error.correlationId
        ? { reference: t('error.reference', { id: error.correlationId }) }
        : {}),
    };
  };
}

export function ErrorMessage({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { t } = useTranslation();
  const { message, hint, reference } = useErrorText()(error);
  return (
    <Message
      tone="bad"
      alert
      action={
        onRetry && (
          <Button size="compact-sm" variant="default" onClick={onRetry}>
            {t('common.retry')}
          </Button>
        )
      }
    >
      <p>{message}</p>
      {hint && <p>{hint}</p>}
      {reference && <p className={classes.reference}>{reference}</p>}
    </Message>
  );
}
