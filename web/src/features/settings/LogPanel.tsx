import { ActionIcon, NativeSelect, Stack } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, ask, type Schemas } from '@/shared/api';
import { ErrorMessage, Loading, notifyDone, Panel } from '@/shared/ui';
import classes from './settings.module.css';

type Levels = Schemas['LogLevels'];
type Level = Schemas['LogLevel'];

const key = ['system', 'log'] as const;
const levels: Level[] = ['debug', 'info', 'warning', 'error'];
const isLevel = (text: string): text is Level => (levels as string[]).includes(text);

function LevelSelect({
  label,
  value,
  onChange,
}: {
  label: string;
  value: Level;
  onChange: (level: Level) => void;
}) {
  const { t } = useTranslation();
  return (
    <NativeSelect
      label={label}
      value={value}
      onChange={(event) => {
        if (isLevel(event.currentTarget.value)) onChange(event.currentTarget.value);
      }}
      data={levels.map((level) => ({ value: level, label: t(`settings.log.levels.${level}`) }))}
    />
  );
}

function LevelsForm({ now }: { now: Levels }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: (body: Schemas['LogLevelsEdit']) =>
      ask(
        api.PUT('/system/log', {
          params: { header: { 'If-Match': `"${now.version}"` } },
          body,
        }),
      ),
    onSuccess: (changed) => {
      client.setQueryData(key, changed);
      notifyDone(t('settings.log.changed'));
    },
    // Somebody else was faster: what holds now is shown beside the refusal.
    onError: () => client.invalidateQueries({ queryKey: key }),
  });
  const { level, components, known } = now;
  const without = (part: string) =>
    Object.fromEntries(Object.entries(components).filter(([name]) => name !== part));
  return (
    <Stack gap="sm">
      <p className={classes.intro}>{t('settings.log.intro')}</p>
      <div className={classes.levels}>
        <LevelSelect
          label={t('settings.log.level')}
          value={level}
          onChange={(chosen) => change.mutate({ level: chosen, components })}
        />
        {Object.entries(components).map(([part, own]) => (
          <div key={part} className={classes.level}>
            <LevelSelect
              label={t('settings.log.own', { part })}
              value={own}
              onChange={(chosen) =>
                change.mutate({ level, components: { ...components, [part]: chosen } })
              }
            />
            <ActionIcon
              variant="default"
              size="lg"
              aria-label={t('settings.log.remove', { part })}
              onClick={() => change.mutate({ level, components: without(part) })}
            >
              <IconX size={16} />
            </ActionIcon>
          </div>
        ))}
        <NativeSelect
          label={t('settings.log.add')}
          value=""
          onChange={(event) => {
            const part = event.currentTarget.value;
            if (part) change.mutate({ level, components: { ...components, [part]: 'debug' } });
          }}
          data={[
            { value: '', label: t('settings.log.choose') },
            ...known.filter((part) => !(part in components)),
          ]}
        />
      </div>
      {change.error && <ErrorMessage error={change.error} />}
    </Stack>
  );
}

/** What is logged: one level for everything, and others for parts of the hub. */
export function LogPanel() {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery({
    queryKey: key,
    queryFn: () => ask(api.GET('/system/log')),
  });
  return (
    <Panel title={t('settings.log.title')}>
      {error && <ErrorMessage error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Loading />}
      {data && <LevelsForm now={data} />}
    </Panel>
  );
}
