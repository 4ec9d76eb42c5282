import { Checkbox, Switch } from '@mantine/core';
import type { FieldProps } from './types';
import { useField } from './use-field';

export function BooleanField(props: FieldProps) {
  const { input, label, error } = useField(props);
  const { schema, value, onChange, compact } = props;
  if (compact) {
    return (
      <Checkbox
        id={input.id}
        aria-label={label}
        size="xs"
        checked={(value ?? schema.default) === true}
        error={error}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
    );
  }
  return (
    <Switch
      id={input.id}
      data-pointer={props.pointer}
      label={label}
      description={schema.description}
      checked={(value ?? schema.default) === true}
      error={error}
      onChange={(event) => onChange(event.currentTarget.checked)}
    />
  );
}
