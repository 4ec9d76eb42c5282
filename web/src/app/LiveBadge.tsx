import { IconBolt, IconBoltOff, IconLoader2 } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useLiveStatus } from '@/shared/live';
import { ToneBadge } from '@/shared/ui';

const looks = {
  connecting: { tone: 'info', icon: IconLoader2, turning: true },
  live: { tone: 'good', icon: IconBolt, turning: false },
  stale: { tone: 'alert', icon: IconBoltOff, turning: false },
  signedOut: { tone: 'neutral', icon: IconBoltOff, turning: false },
} as const;

/** Whether what is shown is kept up to date. Spoken when it changes. */
export function LiveBadge() {
  const { t } = useTranslation();
  const status = useLiveStatus();
  const { tone, icon, turning } = looks[status];
  return (
    <output aria-live="polite">
      <ToneBadge tone={tone} icon={icon} turning={turning} title={t(`live.explain.${status}`)}>
        {t(`live.${status}`)}
      </ToneBadge>
    </output>
  );
}
