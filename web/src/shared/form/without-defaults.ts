import { withDefaults } from './resolve';
import { isObject, type JsonObject, type JsonSchema } from './schema';

export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) || Array.isArray(b))
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((one, index) => same(one, b[index]))
    );
  if (!isObject(a) || !isObject(b)) return false;
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => same(a[name], b[name]));
}

/**
 * What a form gave, without the defaults that it filled in and that the document did not have before: a document says what
 * somebody chose, and a difference between versions shows nothing else.
 */
export function withoutDefaults(
  schema: JsonSchema,
  value: JsonObject,
  before: JsonObject,
): JsonObject {
  const kept: JsonObject = {};
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const property = schema.properties?.[name] ?? {};
    const old = before[name];
    if (old === undefined && same(member, withDefaults(property, undefined))) continue;
    const nested = isObject(member) && property.properties !== undefined;
    const inner = nested ? withoutDefaults(property, member, isObject(old) ? old : {}) : member;
    // A member that must be there stays even when it says what is meant anyway.
    if (nested) {
      for (const needed of property.required ?? []) {
        if (member[needed] !== undefined) (inner as JsonObject)[needed] = member[needed];
      }
      if (old === undefined && Object.keys(inner as JsonObject).length === 0) continue;
    }
    kept[name] = inner;
  }
  return kept;
}
