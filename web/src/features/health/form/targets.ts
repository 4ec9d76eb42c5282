import type { TFunction } from 'i18next';
import type { JsonObject, JsonSchema } from '@/shared/form';

/** Which connections, by connector, label and name. `more` narrows when they are asked for. */
export function targetMembers(
  t: TFunction,
  types: readonly string[],
  more: Partial<JsonSchema> = {},
): Record<string, JsonSchema> {
  return {
    type: {
      type: 'string',
      title: t('health.form.type'),
      enum: [...types],
      ...more,
    },
    labels: {
      type: 'object',
      title: t('health.form.labels'),
      description: t('health.form.labelsHelp'),
      additionalProperties: { type: 'string' },
      ...more,
    },
    connectionIds: {
      type: 'array',
      title: t('health.form.connections'),
      items: { type: 'string' },
      'x-widget': 'connections',
      ...more,
    },
  };
}

/** In words, for a list. */
export function targetWords(targets: JsonObject, t: TFunction): string {
  const { type, labels, connectionIds } = targets;
  const words = [
    ...(typeof type === 'string' ? [type] : []),
    ...Object.entries((labels as Record<string, string>) ?? {}).map(
      ([key, value]) => `${key}: ${value}`,
    ),
    ...(Array.isArray(connectionIds)
      ? [t('health.form.named', { count: connectionIds.length })]
      : []),
  ];
  return words.length > 0 ? words.join(', ') : t('health.form.all');
}
