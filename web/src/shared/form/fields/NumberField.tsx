import { TextInput } from '@mantine/core';
import { useState } from 'react';
import classes from '../SchemaForm.module.css';
import { isPlaceholder } from '../schema';
import type { FieldProps } from './types';
import { useField } from './use-field';

const kNumber = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** The number a text means; the text itself where it means none, so that validation can say so. */
export function parseNumber(text: string): number | string | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  const plain = trimmed.replace(',', '.');
  if (/^0x[0-9a-f]+$/i.test(plain)) return Number.parseInt(plain, 16);
  return kNumber.test(plain) ? Number(plain) : trimmed;
}

/**
 * A number with its unit. What is typed stays as typed ("1.", "0x1F", "((start))") until the value changes from outside.
 */
export function NumberField(props: FieldProps) {
  const { input, placeholder, form } = useField(props);
  const { schema, value, onChange } = props;
  const [text, setText] = useState(value === undefined ? '' : String(value));
  const shown = parseNumber(text) === value ? text : value === undefined ? '' : String(value);
  const unit = schema['x-unit'];
  return (
    <TextInput
      {...input}
      value={shown}
      placeholder={placeholder}
      inputMode={form.placeholders ? 'text' : schema.type === 'integer' ? 'numeric' : 'decimal'}
      autoComplete="off"
      data-placeholder-value={isPlaceholder(value) || undefined}
      rightSection={unit ? <span className={classes.unit}>{unit}</span> : undefined}
      rightSectionWidth={unit ? `${unit.length + 2}ch` : undefined}
      rightSectionPointerEvents="none"
      onChange={(event) => {
        setText(event.currentTarget.value);
        onChange(parseNumber(event.currentTarget.value));
      }}
    />
  );
}
