import { Validator } from '@cfworker/json-schema';
import { isObject, type JsonObject, type JsonSchema } from './schema';

/** What an object schema amounts to for one value: its members in order, and which of them must be there. */
export interface ObjectShape {
  properties: [name: string, schema: JsonSchema][];
  required: Set<string>;
}

/** Follows `$ref: "#/$defs/…"`; other members beside the reference win over the definition's. */
export function dereference(schema: JsonSchema, root: JsonSchema): JsonSchema {
  if (!schema.$ref) return schema;
  const name = schema.$ref.replace('#/$defs/', '');
  const target = root.$defs?.[name];
  if (!target) return schema;
  const { $ref: _, ...beside } = schema;
  return { ...dereference(target, root), ...beside };
}

const conditions = new WeakMap<JsonSchema, Validator>();

function matches(condition: JsonSchema, value: unknown): boolean {
  let validator = conditions.get(condition);
  if (!validator) {
    validator = new Validator(condition as object, '2020-12', true);
    conditions.set(condition, validator);
  }
  return validator.validate(value).valid;
}

function collect(
  schema: JsonSchema,
  value: JsonObject,
  root: JsonSchema,
  into: Map<string, JsonSchema>,
  required: Set<string>,
): void {
  const own = dereference(schema, root);
  for (const [name, property] of Object.entries(own.properties ?? {})) {
    into.set(name, { ...into.get(name), ...dereference(property, root) });
  }
  for (const name of own.required ?? []) required.add(name);
  for (const [name, names] of Object.entries(own.dependentRequired ?? {})) {
    if (value[name] !== undefined) for (const other of names) required.add(other);
  }
  for (const part of own.allOf ?? []) collect(part, value, root, into, required);
  if (own.if) {
    const branch = matches(own.if, value) ? own.then : own.else;
    if (branch) collect(branch, value, root, into, required);
  }
}

/** Merges `allOf`, the branch of `if/then/else` that holds for `value`, and `dependentRequired`. */
export function shapeOf(schema: JsonSchema, value: unknown, root: JsonSchema): ObjectShape {
  const properties = new Map<string, JsonSchema>();
  const required = new Set<string>();
  collect(schema, isObject(value) ? value : {}, root, properties, required);
  return { properties: [...properties], required };
}

/** Whether `x-showWhen` lets this member show, given its siblings. */
export function isShown(schema: JsonSchema, siblings: JsonObject): boolean {
  const when = schema['x-showWhen'];
  return !when || when.in.some((wanted) => wanted === siblings[when.property]);
}

/**
 * `value` with the defaults of the schema filled in, to any depth. Never invents a member without a default. Rows of points
 * stay as they are: ten thousand of them would each repeat what the schema says once.
 */
export function withDefaults(
  schema: JsonSchema,
  value: unknown,
  root: JsonSchema = schema,
): unknown {
  const own = dereference(schema, root);
  if (value === undefined) {
    if (own.default !== undefined) return structuredClone(own.default);
    if (own.type !== 'object' || !own.properties) return undefined;
  }
  if (own.type === 'array' && Array.isArray(value) && own.items) {
    if (own['x-widget'] === 'points') return value;
    const items = own.items;
    return value.map((item) => withDefaults(items, item, root));
  }
  if (own.type !== 'object' || !own.properties) return value;
  const filled: JsonObject = isObject(value) ? { ...value } : {};
  for (const [name, property] of shapeOf(own, filled, root).properties) {
    if (property['x-secret']) continue;
    const member = withDefaults(property, filled[name], root);
    if (
      member !== undefined &&
      !(isObject(member) && Object.keys(member).length === 0 && filled[name] === undefined)
    ) {
      filled[name] = member;
    }
  }
  return filled;
}

// By the schema of the rows and by the row. Rows are never changed in place, so what was found of one stays true.
const shownRows = new WeakMap<JsonSchema, WeakMap<JsonObject, unknown>>();

function shownRow(items: JsonSchema, row: unknown, root: JsonSchema): unknown {
  if (!isObject(row)) return row;
  let known = shownRows.get(items);
  if (!known) {
    known = new WeakMap();
    shownRows.set(items, known);
  }
  let shown = known.get(row);
  if (shown === undefined) {
    shown = withoutHidden(items, row, root);
    known.set(row, shown);
  }
  return shown;
}

/** `value` without the members that `x-showWhen` hides: what is validated and sent. */
export function withoutHidden(
  schema: JsonSchema,
  value: unknown,
  root: JsonSchema = schema,
): unknown {
  const own = dereference(schema, root);
  if (own.type === 'array' && Array.isArray(value) && own.items) {
    const items = own.items;
    return value.map((item) => shownRow(items, item, root));
  }
  if (own.type !== 'object' || !isObject(value)) return value;
  const shape = new Map(shapeOf(own, value, root).properties);
  // A member that is left to its default counts as having it.
  const filled = withDefaults(own, value, root) as JsonObject;
  const shown: JsonObject = {};
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const property = shape.get(name);
    if (property && !isShown(property, filled)) continue;
    shown[name] = property ? withoutHidden(property, member, root) : member;
  }
  return shown;
}

/** The schema of the settings alone: secrets travel apart, so here they are neither members nor required. */
export function withoutSecrets(schema: JsonSchema): JsonSchema {
  const secrets = secretNames(schema);
  if (secrets.length === 0) return schema;
  return {
    ...schema,
    properties: Object.fromEntries(
      Object.entries(schema.properties ?? {}).filter(([name]) => !secrets.includes(name)),
    ),
    required: schema.required?.filter((name) => !secrets.includes(name)),
  };
}

export function secretNames(schema: JsonSchema): string[] {
  return Object.entries(schema.properties ?? {})
    .filter(([, property]) => property['x-secret'])
    .map(([name]) => name);
}
