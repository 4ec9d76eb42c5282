import type { BrowsedNode } from '@/shared/browse';
import { isObject, type JsonObject, type JsonSchema } from '@/shared/form';
import { fromNodes } from './from-nodes';
import { pointSchemaOf } from './rows';

/** What the page that leads here has let people pick (`state.picked` of the navigation). */
export function pickedIn(state: unknown): BrowsedNode[] {
  return isObject(state) && Array.isArray(state.picked) ? (state.picked as BrowsedNode[]) : [];
}

/** Settings that begin with what was picked, for a function that has a list of points; undefined for any other. */
export function withPoints(
  schema: JsonSchema,
  picked: readonly BrowsedNode[],
): JsonObject | undefined {
  const list = Object.entries(schema.properties ?? {}).find(
    ([, property]) => property['x-widget'] === 'points',
  );
  if (!list || picked.length === 0) return undefined;
  const [name, property] = list;
  return { [name]: fromNodes(picked, pointSchemaOf(property, schema), []) };
}
