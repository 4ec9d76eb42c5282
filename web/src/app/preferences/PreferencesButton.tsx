import {
  ActionIcon,
  NativeSelect,
  Popover,
  Stack,
  Switch,
  Tooltip,
  useMantineColorScheme,
} from '@mantine/core';
import { IconAdjustments } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { languages } from '@/shared/i18n';
import { type Preferences, prefer, usePreferences } from '@/shared/preferences';
import { notifyFailed } from '@/shared/ui';

const kTimes = ['relative', 'local', 'utc'] as const;
const kThemes = ['auto', 'light', 'dark'] as const;
const kContrasts = ['auto', 'normal', 'more'] as const;

function Choices() {
  const { t } = useTranslation();
  const { language, times, contrast, singleKeys } = usePreferences();
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const change = (what: Partial<Preferences>) =>
    void prefer(what).catch((error) => notifyFailed(t('error.failed'), String(error)));
  const select = <T extends string>(
    label: string,
    value: T,
    options: readonly { value: T; label: string }[],
    onChange: (value: T) => void,
  ) => (
    <NativeSelect
      label={label}
      data={[...options]}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value as T)}
    />
  );
  return (
    <Stack gap="sm">
      {select(
        t('preferences.language'),
        language,
        Object.entries(languages).map(([value, label]) => ({
          value: value as Preferences['language'],
          label,
        })),
        (value) => change({ language: value }),
      )}
      {select(
        t('preferences.times'),
        times,
        kTimes.map((value) => ({ value, label: t(`preferences.timesAs.${value}`) })),
        (value) => change({ times: value }),
      )}
      {select(
        t('preferences.theme'),
        colorScheme,
        kThemes.map((value) => ({ value, label: t(`preferences.themeAs.${value}`) })),
        setColorScheme,
      )}
      {select(
        t('preferences.contrast'),
        contrast,
        kContrasts.map((value) => ({ value, label: t(`preferences.contrastAs.${value}`) })),
        (value) => change({ contrast: value }),
      )}
      <Switch
        label={t('preferences.singleKeys')}
        description={t('preferences.singleKeysHelp')}
        checked={singleKeys}
        onChange={(event) => change({ singleKeys: event.currentTarget.checked })}
      />
    </Stack>
  );
}

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
        <Choices />
      </Popover.Dropdown>
    </Popover>
  );
}
