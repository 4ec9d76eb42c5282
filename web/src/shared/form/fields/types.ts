import type { JsonSchema } from '../schema';

/** What every field widget gets: a piece of the schema, the value there, and how to change it. */
export interface FieldProps {
  name: string;
  pointer: string;
  schema: JsonSchema;
  value: unknown;
  required: boolean;
  onChange: (value: unknown) => void;
  /** In a table cell: no label or help of its own. */
  compact?: boolean;
  autoFocus?: boolean;
}

/** A field's name for people: its title, or its key taken apart. */
export function labelOf(name: string, schema: JsonSchema): string {
  if (schema.title) return schema.title;
  const words = name.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export const fieldId = (prefix: string, pointer: string): string =>
  `${prefix}${pointer.replaceAll('/', '-')}`;
