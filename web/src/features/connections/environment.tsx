import { IconBuildingFactory2, IconFlask, IconTool } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { type Icon, type Tone, ToneBadge } from '@/shared/ui';

export const kEnvironments = ['production', 'test', 'development'] as const;
export type Environment = (typeof kEnvironments)[number];

/** The label that says what a connection is for. */
export const kEnvironmentLabel = 'environment';

const names: Record<string, Environment> = {
  production: 'production',
  prod: 'production',
  live: 'production',
  test: 'test',
  testing: 'test',
  staging: 'test',
  qa: 'test',
  development: 'development',
  dev: 'development',
};

/** Reads the label `environment`, or `env` as other systems call it. */
export function environmentOf(labels: Record<string, string>): Environment | null {
  const text = labels[kEnvironmentLabel] ?? labels.env ?? '';
  return names[text.trim().toLowerCase()] ?? null;
}

const looks: Record<Environment, { tone: Tone; icon: Icon }> = {
  production: { tone: 'alert', icon: IconBuildingFactory2 },
  test: { tone: 'info', icon: IconFlask },
  development: { tone: 'neutral', icon: IconTool },
};

/** Whether a mistake would stop a plant: in a colour and in words. */
export function EnvironmentBadge({ labels }: { labels: Record<string, string> }) {
  const { t } = useTranslation();
  const environment = environmentOf(labels);
  if (!environment) return null;
  return (
    <ToneBadge {...looks[environment]} title={t('environment.help')}>
      {t(`environment.${environment}`)}
    </ToneBadge>
  );
}
