import { NativeSelect, Stack, Switch, useMantineColorScheme } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { languages } from '@/shared/i18n';
import { type Preferences, prefer, usePreferences } from '@/shared/preferences';
import { notifyFailed } from '@/shared/ui';

const kTimes = ['relative', 'local', 'utc'] as const;
const kThemes = ['auto', 'light', 'dark'] as const;
const kContrasts = ['auto', 'normal', 'more'] as const;

export default function Choices() {
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
