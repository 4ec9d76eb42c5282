import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleX,
  IconClockPause,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Schemas } from '@/shared/api';
import { type Icon, type Tone, ToneBadge } from '@/shared/ui/ToneBadge';

/** What the hub says of a value, or `stale`: the hub itself has fallen silent. */
export type ShownQuality = Schemas['Quality'] | 'stale';

const looks: Record<ShownQuality, { tone: Tone; icon: Icon }> = {
  good: { tone: 'good', icon: IconCircleCheck },
  uncertain: { tone: 'warn', icon: IconAlertTriangle },
  bad: { tone: 'bad', icon: IconCircleX },
  stale: { tone: 'alert', icon: IconClockPause },
};

interface QualityBadgeProps {
  quality: ShownQuality;
  code?: string | undefined;
  message?: string | undefined;
}

export function QualityBadge({ quality, code, message }: QualityBadgeProps) {
  const { t } = useTranslation();
  const title = quality === 'stale' ? t('quality.explainStale') : (message ?? code);
  return (
    <ToneBadge
      plain
      tone={looks[quality].tone}
      icon={looks[quality].icon}
      {...(title ? { title } : {})}
    >
      {t(`quality.${quality}`)}
    </ToneBadge>
  );
}
