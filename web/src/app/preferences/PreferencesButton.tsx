import { ActionIcon, Popover, Tooltip } from '@mantine/core';
import { IconAdjustments } from '@tabler/icons-react';
import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { Loading } from '@/shared/ui';

const Choices = lazy(() => import('./Choices'));

/** Language, times, theme, contrast and shortcuts: what each browser keeps for itself. */
export function PreferencesButton() {
  const { t } = useTranslation();
  return (
    <Popover position="top-start" trapFocus returnFocus withinPortal width={260}>
      <Popover.Target>
        <Tooltip label={t('preferences.title')}>
          <ActionIcon variant="subtle" color="gray" aria-label={t('preferences.title')}>
            <IconAdjustments size={18} />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown aria-label={t('preferences.title')}>
        <Suspense fallback={<Loading />}>
          <Choices />
        </Suspense>
      </Popover.Dropdown>
    </Popover>
  );
}
