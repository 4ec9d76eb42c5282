import {
  IconAlertOctagon,
  IconCircleCheck,
  IconCircleDashed,
  IconLoader2,
  IconPlayerPause,
  IconPlugConnectedX,
  IconQuestionMark,
  IconRefresh,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { HistoryStatus } from '@/shared/data/connections';
import { type Icon, type Tone, ToneBadge } from '@/shared/ui/ToneBadge';

interface Look {
  tone: Tone;
  icon: Icon;
  turning?: boolean;
}

/** How each status looks, everywhere. */
export const statusLooks: Record<HistoryStatus, Look> = {
  Connected: { tone: 'good', icon: IconCircleCheck },
  Connecting: { tone: 'info', icon: IconLoader2, turning: true },
  Reconnecting: { tone: 'warn', icon: IconRefresh, turning: true },
  Disconnected: { tone: 'alert', icon: IconPlugConnectedX },
  Failed: { tone: 'bad', icon: IconAlertOctagon },
  Suspended: { tone: 'hold', icon: IconPlayerPause },
  Idle: { tone: 'neutral', icon: IconCircleDashed },
  Unknown: { tone: 'neutral', icon: IconQuestionMark },
};

/** In the order of how much attention they want. */
export const statusOrder: HistoryStatus[] = [
  'Failed',
  'Disconnected',
  'Reconnecting',
  'Connecting',
  'Connected',
  'Suspended',
  'Idle',
];

interface StatusBadgeProps {
  status: HistoryStatus;
  large?: boolean;
  plain?: boolean;
}

export function StatusBadge({ status, large, plain }: StatusBadgeProps) {
  const { t } = useTranslation();
  const look = statusLooks[status];
  return (
    <ToneBadge
      tone={look.tone}
      icon={look.icon}
      title={t(`status.explain.${status}`)}
      {...(look.turning ? { turning: true } : {})}
      {...(large ? { large: true } : {})}
      {...(plain ? { plain: true } : {})}
    >
      {t(`status.${status}`)}
    </ToneBadge>
  );
}
