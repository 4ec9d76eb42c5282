import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleOff,
  IconCircleX,
  IconHourglass,
  IconLoader2,
  IconPlayerPlay,
  IconPlayerStop,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Schemas } from '@/shared/api';
import { ToneBadge } from '@/shared/ui';
import type { PipelineStatus } from './data';

const looks = {
  disabled: { tone: 'neutral', icon: IconCircleOff },
  running: { tone: 'good', icon: IconPlayerPlay },
  waiting: { tone: 'warn', icon: IconHourglass },
  failing: { tone: 'bad', icon: IconAlertTriangle },
} as const;

export const statusOrder: PipelineStatus[] = ['failing', 'waiting', 'running', 'disabled'];

export function PipelineBadge({ status, plain }: { status: PipelineStatus; plain?: boolean }) {
  const { t } = useTranslation();
  const { tone, icon } = looks[status];
  return (
    <ToneBadge tone={tone} icon={icon} plain={plain} title={t(`pipelines.explain.${status}`)}>
      {t(`pipelines.status.${status}`)}
    </ToneBadge>
  );
}

const runLooks = {
  running: { tone: 'info', icon: IconLoader2 },
  completed: { tone: 'good', icon: IconCircleCheck },
  completed_with_errors: { tone: 'warn', icon: IconAlertTriangle },
  failed: { tone: 'bad', icon: IconCircleX },
  cancelled: { tone: 'neutral', icon: IconPlayerStop },
} as const;

export function RunBadge({ status }: { status: Schemas['RunStatus'] }) {
  const { t } = useTranslation();
  const { tone, icon } = runLooks[status];
  return (
    <ToneBadge tone={tone} icon={icon} turning={status === 'running'}>
      {t(`pipelines.runStatus.${status}`)}
    </ToneBadge>
  );
}
