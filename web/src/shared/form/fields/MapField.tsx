import { ActionIcon, Button, TextInput } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import classes from '../SchemaForm.module.css';
import { isObject } from '../schema';
import { FieldFrame } from './FieldFrame';
import type { FieldProps } from './types';
import { useField } from './use-field';

type Row = [key: string, value: string];

const rowsOf = (value: unknown): Row[] =>
  isObject(value) ? Object.entries(value).map(([key, text]) => [key, String(text)]) : [];

/** Names to texts: headers, labels. A row without a name is not part of the value yet. */
export function MapField(props: FieldProps) {
  const { t } = useTranslation();
  const { error } = useField(props);
  const [rows, setRows] = useState<Row[]>(() => rowsOf(props.value));
  const update = (next: Row[]) => {
    setRows(next);
    const named = next.filter(([key]) => key !== '');
    props.onChange(named.length === 0 ? undefined : Object.fromEntries(named));
  };
  return (
    <FieldFrame {...props} error={error}>
      {rows.map(([key, value], index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row has no other identity while its name is typed
        <div key={index} className={classes.mapRow}>
          <TextInput
            size="xs"
            aria-label={t('form.map.key', { row: index + 1 })}
            placeholder={t('form.map.keyPlaceholder')}
            value={key}
            onChange={(event) => {
              const name = event.currentTarget.value;
              update(rows.map((row, place) => (place === index ? [name, row[1]] : row)));
            }}
          />
          <TextInput
            size="xs"
            aria-label={t('form.map.value', { row: index + 1 })}
            placeholder={t('form.map.valuePlaceholder')}
            value={value}
            onChange={(event) => {
              const text = event.currentTarget.value;
              update(rows.map((row, place) => (place === index ? [row[0], text] : row)));
            }}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={t('form.removeRow', { row: index + 1 })}
            onClick={() => update(rows.filter((_, place) => place !== index))}
          >
            <IconTrash size={16} />
          </ActionIcon>
        </div>
      ))}
      <Button
        variant="default"
        size="compact-xs"
        leftSection={<IconPlus size={14} />}
        onClick={() => setRows([...rows, ['', '']])}
      >
        {t('form.map.add')}
      </Button>
    </FieldFrame>
  );
}
