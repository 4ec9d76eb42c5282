import { Loader, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useImpact } from '@/shared/data/connections';
import { ErrorMessage } from '@/shared/ui';
import classes from '../connections.module.css';

const kNamed = 6;

function Names({ sentence, names }: { sentence: string; names: string[] }) {
  const { t } = useTranslation();
  const more = names.length - kNamed;
  return (
    <Text size="sm" component="div">
      {sentence}
      <ul className={classes.hits}>
        {names.slice(0, kNamed).map((name, index) => (
          // Functions of different connections may have one name.
          // biome-ignore lint/suspicious/noArrayIndexKey: the list is drawn once and never reordered
          <li key={index}>{name}</li>
        ))}
        {more > 0 && <li>{t('impact.more', { count: more })}</li>}
      </ul>
    </Text>
  );
}

/** Which functions and pipelines stop when these connections do, before it is done. */
export function ImpactPreview({ ids }: { ids: readonly string[] }) {
  const { t } = useTranslation();
  const { data, error } = useImpact(ids);
  if (error) return <ErrorMessage error={error} />;
  if (!data) return <Loader size="xs" aria-label={t('impact.looking')} />;
  const { functions, pipelines } = data;
  if (functions.length === 0 && pipelines.length === 0)
    return (
      <Text size="sm" c="dimmed">
        {t('impact.nothing')}
      </Text>
    );
  return (
    <section aria-label={t('impact.title')}>
      {functions.length > 0 && (
        <Names
          sentence={t('impact.functions', { count: functions.length })}
          names={functions.map((one) => one.name)}
        />
      )}
      {pipelines.length > 0 && (
        <Names
          sentence={t('impact.pipelines', { count: pipelines.length })}
          names={pipelines.map((one) =>
            t('impact.pipeline', { name: one.name, use: t(`impact.use.${one.uses}`) }),
          )}
        />
      )}
    </section>
  );
}
