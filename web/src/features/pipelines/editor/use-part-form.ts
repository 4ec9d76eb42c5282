import { useMemo } from 'react';
import {
  isObject,
  type JsonObject,
  type JsonSchema,
  type SchemaFormState,
  withDefaults,
  withoutDefaults,
} from '@/shared/form';

const nothing = () => {};

/**
 * The state of a schema form over a part of the document. The document is the only place where the value is kept, so that undo
 * and the other views see every letter; the hub says what is wrong, at every pause.
 */
export function usePartForm(
  schema: JsonSchema,
  part: JsonObject,
  errors: ReadonlyMap<string, string>,
  onChange: (part: JsonObject) => void,
): SchemaFormState {
  const value = useMemo(() => withDefaults(schema, part) as JsonObject, [schema, part]);
  return {
    schema,
    value: isObject(value) ? value : {},
    setValue: (next) => onChange(withoutDefaults(schema, isObject(next) ? next : {}, part)),
    secrets: {},
    storedSecrets: {},
    setSecret: nothing,
    placeholders: false,
    errors,
    problems: errors,
    secretErrors: new Map(),
    touch: nothing,
    dirty: false,
    check: () => errors.size === 0,
    takeServerErrors: (found) => found,
    result: () => part,
  };
}
