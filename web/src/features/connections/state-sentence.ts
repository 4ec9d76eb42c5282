import { useTranslation } from 'react-i18next';
import type { ConnectionState } from '@/shared/data/connections';

/** What there is to say about a state beyond its name: why, or what is missing. Empty when all is well. */
export function useStateSentence(): (state: ConnectionState) => string {
  const { t } = useTranslation();
  return (state) => {
    switch (state.status) {
      case 'Suspended':
        return state.suspension ? `${state.suspension.reason} (${state.suspension.by})` : '';
      case 'Connected':
        return state.degraded ?? '';
      case 'Idle':
        return '';
      default:
        return state.cause?.message ?? t(`status.explain.${state.status}`);
    }
  };
}
