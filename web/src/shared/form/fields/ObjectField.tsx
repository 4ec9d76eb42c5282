import { FieldFrame } from './FieldFrame';
import { Members } from './Members';
import type { FieldProps } from './types';
import { useField } from './use-field';

/** An object inside the settings: its members in a frame of their own. */
export function ObjectField(props: FieldProps) {
  const { error } = useField(props);
  return (
    <FieldFrame {...props} error={error}>
      <Members
        schema={props.schema}
        pointer={props.pointer}
        value={props.value}
        onChange={props.onChange}
      />
    </FieldFrame>
  );
}
