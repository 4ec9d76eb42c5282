import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { hubNow } from '@/shared/data/clock';
import { conventions, formatMoment, formatTicking } from '@/shared/format';

/** The hub's time, told anew every `everyMs`. */
export function useNow(everyMs = 1000): number {
  const [now, setNow] = useState(hubNow);
  useEffect(() => {
    const timer = setInterval(() => setNow(hubNow()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

function Relative({ at }: { at: string }) {
  const { t } = useTranslation();
  const distance = Date.parse(at) - useNow();
  const text =
    Math.abs(distance) < 1000
      ? t('time.now')
      : distance < 0
        ? t('time.ago', { span: formatTicking(-distance, t) })
        : t('time.in', { span: formatTicking(distance, t) });
  return (
    <time dateTime={at} title={formatMoment(at)}>
      {text}
    </time>
  );
}

/**
 * A moment as the person wants times told: "3 min ago", or the date and time in the browser's zone or in UTC. `countdown`: always
 * as "in 12 s", because that is what matters of it.
 */
export function Ago({ at, countdown }: { at: string; countdown?: boolean }) {
  useTranslation();
  if (countdown || conventions().times === 'relative') return <Relative at={at} />;
  return (
    <time dateTime={at} title={at}>
      {formatMoment(at)}
    </time>
  );
}

/** How long something has lasted, without "ago". */
export function Lasting({ since }: { since: string }) {
  const { t } = useTranslation();
  const now = useNow();
  return (
    <time dateTime={since} title={formatMoment(since)}>
      {formatTicking(Math.max(0, now - Date.parse(since)), t)}
    </time>
  );
}
