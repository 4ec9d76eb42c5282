import type { JsonSchema } from '@/shared/form';

/** What the wizard asks for, one thing at a time. A connector without secrets and certificates has no step for security. */
export type Step = 'endpoint' | 'security' | 'test' | 'name';

/** The top-level members of the settings that a step asks for. */
export interface Split {
  endpoint: string[];
  security: string[];
}

const mentionsTrust = (schema: JsonSchema): boolean =>
  schema['x-secret'] === true ||
  schema['x-certificates'] !== undefined ||
  Object.values(schema.properties ?? {}).some(mentionsTrust);

/**
 * Splits the settings by their groups, as the schema has them: a group with a secret or a certificate is about security, all
 * others say where and how the peer is reached. The first group is always about reaching it.
 */
export function splitSettings(schema: JsonSchema): Split {
  const groups = (schema['x-groups'] ?? []).map((group) => group.id);
  const first = groups[0];
  const properties = Object.entries(schema.properties ?? {});
  const groupOf = (property: JsonSchema) =>
    groups.find((id) => id === property['x-group']) ?? first;
  const secure = new Set(
    properties
      .filter(([, property]) => mentionsTrust(property))
      .map(([, property]) => groupOf(property)),
  );
  if (first !== undefined) secure.delete(first);
  const split: Split = { endpoint: [], security: [] };
  for (const [name, property] of properties)
    split[first !== undefined && secure.has(groupOf(property)) ? 'security' : 'endpoint'].push(
      name,
    );
  return split;
}

export const stepsOf = (split: Split): Step[] =>
  split.security.length > 0
    ? ['endpoint', 'security', 'test', 'name']
    : ['endpoint', 'test', 'name'];

/** The step in which the field of a pointer such as `/settings/host` or `/secrets/password` is; null for what has none. */
export function stepOf(pointer: string, split: Split): Step | null {
  const [, area, name = ''] = pointer.split('/');
  if (['name', 'labels', 'description', 'reconnect'].includes(area ?? '')) return 'name';
  if (area === 'secrets' && name === '') return split.security.length > 0 ? 'security' : 'endpoint';
  if (split.security.includes(name)) return 'security';
  return split.endpoint.includes(name) ? 'endpoint' : null;
}
