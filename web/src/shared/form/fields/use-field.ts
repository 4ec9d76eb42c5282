import { useTranslation } from 'react-i18next';
import { useFormContext } from '../context';
import { type FieldProps, fieldId, labelOf } from './types';

/** The properties that every text-like input of a field shares: label, help, error, id, and what marks it as touched. */
export function useField({ name, pointer, schema, required, compact, autoFocus }: FieldProps) {
  const { t } = useTranslation();
  const form = useFormContext();
  const error = form.errors.get(pointer);
  const label = labelOf(name, schema);
  return {
    form,
    error,
    label,
    input: {
      id: fieldId(form.idPrefix, pointer),
      'data-pointer': pointer,
      error: error ?? undefined,
      onBlur: () => form.touch(pointer),
      autoFocus,
      ...(compact
        ? { 'aria-label': label, size: 'xs' as const }
        : {
            label,
            description: schema.description,
            withAsterisk: required,
            inputWrapperOrder: ['label', 'input', 'error', 'description'] as (
              | 'label'
              | 'input'
              | 'error'
              | 'description'
            )[],
          }),
    },
    placeholder:
      schema['x-placeholder'] ??
      (schema.default !== undefined && schema.default !== ''
        ? t('form.defaultIs', { value: String(schema.default) })
        : schema.examples?.[0] !== undefined
          ? t('form.forExample', { value: String(schema.examples[0]) })
          : undefined),
  };
}
