import { Textarea, TextInput } from '@mantine/core';
import classes from '../SchemaForm.module.css';
import type { FieldProps } from './types';
import { useField } from './use-field';

const kMultiline = new Set(['textarea', 'code', 'json']);

/** One line, or several where the schema asks for it. An emptied field is "not given", so its default counts again. */
export function TextField(props: FieldProps) {
  const { input, placeholder } = useField(props);
  const { schema, value, onChange, compact } = props;
  const text = typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
  const widget = schema['x-widget'] ?? '';
  const change = (next: string) => onChange(next === '' ? undefined : next);
  if (kMultiline.has(widget) && !compact) {
    return (
      <Textarea
        {...input}
        autosize
        minRows={3}
        maxRows={14}
        value={text}
        placeholder={placeholder}
        spellCheck={widget === 'textarea'}
        classNames={widget === 'textarea' ? {} : { input: classes.code ?? '' }}
        onChange={(event) => change(event.currentTarget.value)}
      />
    );
  }
  return (
    <TextInput
      {...input}
      value={text}
      placeholder={placeholder}
      maxLength={schema.maxLength}
      autoComplete="off"
      spellCheck={false}
      onChange={(event) => change(event.currentTarget.value)}
    />
  );
}
