export type { SecretDraft, SecretState, WidgetFor } from './context';
export { FieldFrame } from './fields/FieldFrame';
export { type FieldProps, fieldId } from './fields/types';
export { useField } from './fields/use-field';
export { withDefaults } from './resolve';
export { SchemaForm } from './SchemaForm';
export { isObject, isPlaceholder, type JsonObject, type JsonSchema } from './schema';
export { type SchemaFormState, useSchemaForm } from './use-schema-form';
export type { FieldError } from './validate';
