import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from '../SchemaForm.module.css';
import { type FieldProps, labelOf } from './types';

/** Label, help and error around a field that is more than one input. */
export function FieldFrame({
  name,
  schema,
  required,
  compact,
  pointer,
  error,
  children,
}: Omit<FieldProps, 'value' | 'onChange'> & { error?: string | undefined; children: ReactNode }) {
  return (
    <fieldset className={classes.frame} data-pointer={pointer}>
      <legend className={compact ? classes.hidden : classes.label}>
        {labelOf(name, schema)}
        {required && (
          <span className={classes.asterisk} aria-hidden>
            {' *'}
          </span>
        )}
      </legend>
      {schema.description && !compact && (
        <Text size="xs" c="dimmed" mb={6}>
          {schema.description}
        </Text>
      )}
      {children}
      {error && (
        <Text size="xs" c="var(--mantine-color-error)" mt={4} role="alert">
          {error}
        </Text>
      )}
    </fieldset>
  );
}
