import { ActionIcon, Button } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { dereference, withDefaults } from '../resolve';
import classes from '../SchemaForm.module.css';
import { child } from '../schema';
import { Field } from './Field';
import { FieldFrame } from './FieldFrame';
import type { FieldProps } from './types';
import { useField } from './use-field';

/** An array of single values. */
export function ListField(props: FieldProps) {
  const { t } = useTranslation();
  const { form, error } = useField(props);
  const { schema, value, pointer, onChange } = props;
  const items = dereference(schema.items ?? {}, form.root);
  const list = Array.isArray(value) ? value : [];
  return (
    <FieldFrame {...props} error={error}>
      {list.map((item, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: values of a list have no identity but their place
        <div key={index} className={classes.listRow}>
          <Field
            name={`${index + 1}`}
            pointer={child(pointer, index)}
            schema={{ ...items, title: t('form.entry', { row: index + 1 }) }}
            value={item}
            required
            compact
            onChange={(next) =>
              onChange(list.map((old, place) => (place === index ? (next ?? '') : old)))
            }
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={t('form.removeRow', { row: index + 1 })}
            onClick={() => onChange(list.filter((_, place) => place !== index))}
          >
            <IconTrash size={16} />
          </ActionIcon>
        </div>
      ))}
      <Button
        variant="default"
        size="compact-xs"
        leftSection={<IconPlus size={14} />}
        onClick={() => onChange([...list, withDefaults(items, undefined, form.root) ?? ''])}
      >
        {t('form.addEntry')}
      </Button>
    </FieldFrame>
  );
}
