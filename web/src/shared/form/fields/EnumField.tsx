import { NativeSelect } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { FieldProps } from './types';
import { useField } from './use-field';

/** A choice. Options are kept by their place, so numbers and booleans stay what they are. */
export function EnumField(props: FieldProps) {
  const { t } = useTranslation();
  const { input } = useField(props);
  const { schema, value, required, onChange } = props;
  const options = schema.enum ?? [];
  const titles = schema['x-enumTitles'] ?? {};
  const index = options.indexOf(value);
  const optional = !required && schema.default === undefined;
  const titleOf = (option: unknown) => titles[String(option)] ?? String(option);
  const data = options.map((option, place) => ({
    value: String(place),
    label: titleOf(option),
  }));
  const nothing = optional
    ? t('form.notGiven')
    : value === undefined && schema.default !== undefined
      ? t('form.defaultIs', { value: titleOf(schema.default) })
      : t('form.choose');
  return (
    <NativeSelect
      {...input}
      value={index < 0 ? '' : String(index)}
      data={index < 0 || optional ? [{ value: '', label: nothing }, ...data] : data}
      onChange={(event) => {
        const place = event.currentTarget.value;
        onChange(place === '' ? undefined : options[Number(place)]);
      }}
    />
  );
}
