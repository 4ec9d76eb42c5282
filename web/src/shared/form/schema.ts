/** The subset of JSON Schema 2020-12 that connectors use, with our additions (docs/settings-schemas.md). */
export interface JsonSchema {
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  properties?: Record<string, JsonSchema>;
  required?: string[];
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  items?: JsonSchema;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  additionalProperties?: boolean | JsonSchema;
  $defs?: Record<string, JsonSchema>;
  $ref?: string;
  title?: string;
  description?: string;
  examples?: unknown[];
  if?: JsonSchema;
  then?: JsonSchema;
  else?: JsonSchema;
  allOf?: JsonSchema[];
  dependentRequired?: Record<string, string[]>;
  'x-secret'?: boolean;
  'x-certificates'?: 'trusted' | 'own' | 'application';
  'x-unit'?: string;
  'x-group'?: string;
  'x-groups'?: { id: string; title: string; collapsed?: boolean }[];
  'x-enumTitles'?: Record<string, string>;
  'x-showWhen'?: { property: string; in: unknown[] };
  'x-widget'?: string;
  'x-placeholder'?: string;
  'x-bind'?: boolean;
  'x-key'?: string;
  'x-function'?: string;
  'x-kind'?: string;
  'x-polled'?: boolean;
}

export type JsonObject = Record<string, unknown>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `((name))`: a value that the caller of the function fills in. */
export const isPlaceholder = (value: unknown): value is string =>
  typeof value === 'string' && /^\(\([A-Za-z_][\w.-]*\)\)$/.test(value.trim());

/** One step of a JSON pointer (RFC 6901) below `pointer`. */
export const child = (pointer: string, key: string | number): string =>
  `${pointer}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
