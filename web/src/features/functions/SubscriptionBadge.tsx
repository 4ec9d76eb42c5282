import {
  IconAlertTriangle,
  IconBellOff,
  IconBroadcast,
  IconCircleOff,
  IconHourglass,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { HubFunction } from '@/shared/data/functions';
import { formatCount } from '@/shared/format';
import { ToneBadge, ui } from '@/shared/ui';
import classes from './functions.module.css';

const looks = {
  active: { tone: 'good', icon: IconBroadcast },
  waiting: { tone: 'neutral', icon: IconHourglass },
  silent: { tone: 'warn', icon: IconBellOff },
  failed: { tone: 'bad', icon: IconAlertTriangle },
} as const;

/** How a subscription is doing. Functions that run on demand have no state of their own. */
export function SubscriptionBadge({ fn }: { fn: HubFunction }) {
  const { t } = useTranslation();
  if (!fn.enabled) {
    return (
      <ToneBadge plain tone="neutral" icon={IconCircleOff}>
        {t('functions.disabled')}
      </ToneBadge>
    );
  }
  const state = fn.subscription;
  if (!state) return null;
  const { tone, icon } = looks[state.status];
  return (
    <>
      <ToneBadge plain tone={tone} icon={icon}>
        {t(`functions.state.${state.status}`)}
      </ToneBadge>
      <div className={`${classes.sub} ${state.error ? '' : ui.nowrap}`}>
        {state.error
          ? state.error.message
          : `${t('functions.samples', { count: state.samples }).replace(String(state.samples), formatCount(state.samples))}${
              state.overruns > 0 ? `, ${t('functions.overruns', { count: state.overruns })}` : ''
            }`}
      </div>
    </>
  );
}
