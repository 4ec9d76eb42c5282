import { type ComponentType, createContext, useContext } from 'react';
import type { FieldProps } from './fields/types';
import type { JsonSchema } from './schema';

/** What the hub says of a stored secret. Its text never comes back. */
export interface SecretState {
  set: boolean;
  changedAt?: string | null;
}

/** A secret in an edited form: absent = keep what is stored, a string = store this, null = remove. */
export type SecretDraft = Record<string, string | null>;

/** A widget of the page around the form for a piece of the schema; undefined: the form's own. */
export type WidgetFor = (
  schema: JsonSchema,
  pointer: string,
) => ComponentType<FieldProps> | undefined;

export interface FormContextValue {
  widgetFor?: WidgetFor | undefined;
  root: JsonSchema;
  /** Message by JSON pointer, relative to the settings. */
  errors: ReadonlyMap<string, string>;
  /** Likewise, also what is not shown yet. */
  problems: ReadonlyMap<string, string>;
  placeholders: boolean;
  idPrefix: string;
  touch: (pointer: string) => void;
  secrets: SecretDraft;
  storedSecrets: Record<string, SecretState>;
  secretErrors: ReadonlyMap<string, string>;
  setSecret: (name: string, value: string | null | undefined) => void;
}

const FormContext = createContext<FormContextValue | null>(null);

export const FormProvider = FormContext.Provider;

export function useFormContext(): FormContextValue {
  const value = useContext(FormContext);
  if (!value) throw new Error('A schema form field was used outside a SchemaForm');
  return value;
}
