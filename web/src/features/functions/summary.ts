import type { TFunction } from 'i18next';
import type { HubFunction } from '@/shared/data/functions';

const kTelling = ['topic', 'query', 'path', 'table', 'method', 'reportOn'] as const;

/** A function's settings in one line: how many points, how often, which topic. */
export function summaryOf({ settings }: Pick<HubFunction, 'settings'>, t: TFunction): string {
  const parts: string[] = [];
  const list = settings.points ?? settings.nodes;
  if (Array.isArray(list)) parts.push(t('functions.points', { count: list.length }));
  const topics = settings.topics;
  if (Array.isArray(topics))
    parts.push(topics.map((one: { topic?: string }) => one.topic ?? '').join(', '));
  if (typeof settings.intervalMs === 'number') parts.push(t('time.ms', { n: settings.intervalMs }));
  for (const name of kTelling) {
    const value = settings[name];
    if (typeof value === 'string') parts.push(value);
  }
  return parts.join(' · ');
}
