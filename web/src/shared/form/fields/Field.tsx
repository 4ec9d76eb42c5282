import type { ComponentType } from 'react';
import { useFormContext } from '../context';
import type { JsonSchema } from '../schema';
import { BooleanField } from './BooleanField';
import { EnumField } from './EnumField';
import { JsonField } from './JsonField';
import { ListField } from './ListField';
import { MapField } from './MapField';
import { NumberField } from './NumberField';
import { ObjectField } from './ObjectField';
import { SecretField } from './SecretField';
import { TableField } from './TableField';
import { TextField } from './TextField';
import type { FieldProps } from './types';

const isTable = (schema: JsonSchema): boolean =>
  schema.type === 'array' &&
  (schema['x-widget'] === 'points' ||
    schema.items?.properties !== undefined ||
    schema.items?.$ref !== undefined);

function widgetOf(schema: JsonSchema): ComponentType<FieldProps> {
  if (schema['x-secret']) return SecretField;
  if (schema.enum) return EnumField;
  switch (schema.type) {
    case 'boolean':
      return BooleanField;
    case 'integer':
    case 'number':
      return NumberField;
    case 'string':
      return TextField;
    case 'array':
      return isTable(schema) ? TableField : ListField;
    case 'object':
      if (schema.properties) return ObjectField;
      return schema['x-widget'] === 'json' ? JsonField : MapField;
    default:
      return JsonField;
  }
}

const kWideWidgets = new Set(['textarea', 'code', 'json', 'map', 'points']);

/** Whether the field needs the whole width of the form. */
export function isWide(schema: JsonSchema): boolean {
  return (
    kWideWidgets.has(schema['x-widget'] ?? '') ||
    schema.type === 'array' ||
    schema.type === 'object' ||
    schema.type === undefined
  );
}

/** The widget for one piece of a schema: the only place that maps types to widgets, but for those of the page around the form. */
export function Field(props: FieldProps) {
  const { widgetFor } = useFormContext();
  const Widget = widgetFor?.(props.schema, props.pointer) ?? widgetOf(props.schema);
  return <Widget {...props} />;
}
