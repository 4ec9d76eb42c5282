import { Button, CloseButton, NativeSelect } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { SearchField, ui } from '@/shared/ui';
import classes from '../health.module.css';
import { type ChosenFilters, useChoices } from './use-filters';

/** Which connections, by name, type and label. */
export function FilterBar({ chosen }: { chosen: ChosenFilters }) {
  const { t } = useTranslation();
  const { labels, types } = useChoices();
  const { filters, search, set, setLabels, clear, any } = chosen;
  const left = labels.filter((label) => !filters.labels.includes(label));
  return (
    <div className={ui.toolbar}>
      <SearchField
        label={t('health.search')}
        size="xs"
        value={search}
        onChange={(next) => set('q', next)}
      />
      <NativeSelect
        size="xs"
        aria-label={t('health.anyType')}
        value={filters.type ?? ''}
        data={[
          { value: '', label: t('health.anyType') },
          ...types.map((type) => ({ value: type, label: type })),
        ]}
        onChange={(event) => set('type', event.currentTarget.value)}
      />
      {labels.length > 0 && (
        <NativeSelect
          size="xs"
          aria-label={t('health.addLabel')}
          value=""
          data={[
            { value: '', label: t('health.addLabel') },
            ...left.map((label) => ({ value: label, label: label.replace(':', ': ') })),
          ]}
          onChange={(event) => {
            const label = event.currentTarget.value;
            if (label) setLabels([...filters.labels, label]);
          }}
        />
      )}
      {filters.labels.map((label) => (
        <span key={label} className={classes.chip}>
          {label.replace(':', ': ')}
          <CloseButton
            size="xs"
            aria-label={t('health.dropLabel', { label })}
            onClick={() => setLabels(filters.labels.filter((one) => one !== label))}
          />
        </span>
      ))}
      {any && (
        <Button size="compact-xs" variant="subtle" onClick={clear}>
          {t('health.clearFilters')}
        </Button>
      )}
    </div>
  );
}
