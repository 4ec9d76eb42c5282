import {
  isObject,
  isPlaceholder,
  type JsonObject,
  type JsonSchema,
  withDefaults,
} from '@/shared/form';
import { dereference, shapeOf } from '@/shared/form/resolve';

/** What a caller typed for a parameter: JSON where it is JSON (a number, true, an object), else the text itself. */
export function parameterValue(text: string): unknown {
  const trimmed = text.trim();
  if (trimmed === '') return '';
  try {
    return JSON.parse(trimmed);
  } catch {
    return text;
  }
}

const nameOf = (placeholder: string): string => placeholder.trim().slice(2, -2);

/** The schema of the first place where each placeholder stands for a whole value. */
function collect(
  schema: JsonSchema,
  value: unknown,
  root: JsonSchema,
  into: Map<string, JsonSchema>,
): void {
  const own = dereference(schema, root);
  if (isPlaceholder(value)) {
    const name = nameOf(value);
    if (own.type && !into.has(name)) into.set(name, own);
  } else if (Array.isArray(value)) {
    for (const item of value) collect(own.items ?? {}, item, root, into);
  } else if (isObject(value)) {
    const shape = new Map(shapeOf(own, value, root).properties);
    for (const [name, member] of Object.entries(value))
      collect(shape.get(name) ?? {}, member, root, into);
  }
}

/** The form of a call: what the caller fills in, and which of it is a free value. */
export interface ParameterForm {
  schema: JsonSchema;
  /** Taken as JSON where it is JSON: the schema says nothing of them, or they are part of a text. */
  free: ReadonlySet<string>;
}

/** Examples of values: a placeholder is none, here it is what is asked for. */
function examplesOf({ examples }: JsonSchema): Pick<JsonSchema, 'examples'> {
  return examples ? { examples: examples.filter((one) => !isPlaceholder(one)) } : {};
}

/**
 * A form for the parameters of a function, from the places where they stand in its settings: what is a port there is asked for as
 * a port, with its bounds and its help.
 */
export function parameterForm(
  functionSchema: JsonSchema,
  settings: JsonObject,
  names: readonly string[],
  help: string,
): ParameterForm {
  const known = new Map<string, JsonSchema>();
  collect(functionSchema, settings, functionSchema, known);
  const free = new Set(names.filter((name) => !known.has(name)));
  const properties = names.map((name): [string, JsonSchema] => {
    const found = known.get(name);
    if (!found) return [name, { type: 'string', title: name, description: help }];
    // Its own default is of a setting that is left out; here something is asked for.
    const { default: _, 'x-showWhen': __, 'x-group': ___, title, description, ...rules } = found;
    const said = [title, description].filter(Boolean).join(': ');
    // A text that may be empty, such as a comment, need not be typed.
    const empty = found.default === '' ? { default: '' } : {};
    return [
      name,
      {
        ...rules,
        ...examplesOf(found),
        title: name,
        ...(said ? { description: said } : {}),
        ...empty,
      },
    ];
  });
  const schema: JsonSchema = {
    type: 'object',
    properties: Object.fromEntries(properties),
    required: properties.filter(([, one]) => one.default === undefined).map(([name]) => name),
    ...(functionSchema.$defs ? { $defs: functionSchema.$defs } : {}),
  };
  return { schema, free };
}

/** What is sent: every parameter, an emptied text as the empty one, and free values as the JSON they are. */
export function parametersOf(value: JsonObject, { schema, free }: ParameterForm): JsonObject {
  return Object.fromEntries(
    Object.entries(withDefaults(schema, value) as JsonObject).map(([name, member]) => [
      name,
      free.has(name) && typeof member === 'string' ? parameterValue(member) : member,
    ]),
  );
}
