import { useTranslation } from 'react-i18next';
import type { Schemas } from '@/shared/api';
import { formatSpan } from '@/shared/format';
import { Message, ui } from '@/shared/ui';

/** What came back from the receiver. */
export function TestResult({ result }: { result: Schemas['NoticeTest'] }) {
  const { t } = useTranslation();
  const { success, status, durationMs, body, error } = result;
  return (
    <Message tone={success ? 'good' : 'bad'} alert>
      <p>
        {success ? t('health.notices.testOk') : t('health.notices.testFailed')}{' '}
        {status !== null && t('health.notices.answered', { status })} {formatSpan(durationMs, t)}
      </p>
      {error && <p>{error.message}</p>}
      {error?.hint && <p>{error.hint}</p>}
      {body && <pre className={ui.code}>{body}</pre>}
    </Message>
  );
}
