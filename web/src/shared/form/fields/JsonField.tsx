import { Textarea } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import classes from '../SchemaForm.module.css';
import type { FieldProps } from './types';
import { useField } from './use-field';

const print = (value: unknown): string =>
  value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value, null, 2);

/** Any JSON value, or plain text where it is none: the widget of a member without a type. */
export function JsonField(props: FieldProps) {
  const { t } = useTranslation();
  const { input, error, placeholder } = useField(props);
  const [text, setText] = useState(print(props.value));
  const mustBeJson = props.schema.type === 'object' || props.schema.type === 'array';
  const [broken, setBroken] = useState(false);
  return (
    <Textarea
      {...input}
      autosize
      minRows={props.compact ? 1 : 3}
      maxRows={16}
      spellCheck={false}
      classNames={{ input: classes.code ?? '' }}
      value={text}
      placeholder={placeholder}
      error={broken ? t('form.error.json') : error}
      onChange={(event) => {
        const next = event.currentTarget.value;
        setText(next);
        if (next.trim() === '') {
          setBroken(false);
          props.onChange(undefined);
          return;
        }
        try {
          props.onChange(JSON.parse(next));
          setBroken(false);
        } catch {
          setBroken(mustBeJson);
          props.onChange(next);
        }
      }}
    />
  );
}
