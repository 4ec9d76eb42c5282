export type { SecretDraft, SecretState } from './context';
export { SchemaForm } from './SchemaForm';
export { isObject, isPlaceholder, type JsonObject, type JsonSchema } from './schema';
export { type SchemaFormState, useSchemaForm } from './use-schema-form';
export type { FieldError } from './validate';
