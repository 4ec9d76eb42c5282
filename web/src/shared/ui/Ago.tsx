import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { hubNow } from '@/shared/data/clock';
import { formatMoment, formatTicking } from '@/shared/format';

/** The hub's time, told anew every `everyMs`. */
export function useNow(everyMs = 1000): number {
  const [now, setNow] = useState(hubNow);
  useEffect(() => {
    const timer = setInterval(() => setNow(hubNow()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** "3 min ago" or "in 12 s", with the exact time as its title. */
export function Ago({ at }: { at: string }) {
  const { t } = useTranslation();
  const now = useNow();
  const distance = Date.parse(at) - now;
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
