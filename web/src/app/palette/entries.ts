import type { TFunction } from 'i18next';
import { actionsIn } from '@/features/connections/commands/allowed';
import type { Schemas } from '@/shared/api';
import type { ShortFunction } from '@/shared/data/functions';

export type Group = 'recent' | 'pages' | 'connections' | 'functions' | 'pipelines' | 'actions';

/** What may be done to a connection or pipeline without leaving the page. */
export type Deed =
  | { do: ReturnType<typeof actionsIn>[number] | 'test'; connection: Schemas['Connection'] }
  | { do: 'run' | 'enable' | 'disable'; pipeline: Schemas['Pipeline'] }
  | { do: 'signOut' | 'shortcuts' };

export interface Entry {
  key: string;
  group: Group;
  label: string;
  /** What tells it from others of the same name, and is searched, too. */
  note: string;
  target: { to: string } | Deed;
}

interface Known {
  pages: { to: string; label: string }[];
  connections: Schemas['Connection'][];
  functions: ShortFunction[];
  pipelines: Schemas['Pipeline'][];
}

const labelsOf = (labels: Record<string, string>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}:${value}`)
    .join(' ');

function deed(group: Group, label: string, note: string, target: Deed, id: string): Entry {
  return { key: `${target.do} ${id}`, group, label, note, target };
}

function pipelineActions({
  enabled,
  nodes,
}: Schemas['Pipeline']): ('run' | 'enable' | 'disable')[] {
  if (!enabled) return ['enable'];
  return nodes.some((node) => node.type === 'trigger.manual') ? ['run', 'disable'] : ['disable'];
}

/** Everything that can be gone to or done, in the order in which it is offered. */
export function allEntries({ pages, connections, functions, pipelines }: Known, t: TFunction) {
  const entries: Entry[] = [];
  const page = (group: Group, to: string, label: string, note: string) =>
    entries.push({ key: to, group, label, note, target: { to } });
  for (const { to, label } of pages) page('pages', to, label, '');
  page('pages', '/connections/new', t('palette.do.newConnection'), '');
  page('pages', '/pipelines/new', t('palette.do.newPipeline'), '');
  const names = new Map(connections.map((one) => [one.id, one.name]));
  for (const { id, name, type, labels } of connections)
    page('connections', `/connections/${id}`, name, `${type} ${labelsOf(labels)}`.trim());
  for (const { id, name, labels } of pipelines)
    page('pipelines', `/pipelines/${id}`, name, labelsOf(labels));
  for (const { id, name, connectionId } of functions) {
    const to = `/connections/${connectionId}/functions/${id}`;
    page('functions', to, name, names.get(connectionId) ?? '');
  }
  for (const connection of connections) {
    const { id, name, type } = connection;
    for (const action of [...actionsIn(connection.state.status), 'test' as const]) {
      const label = t(`palette.do.${action}`, { name });
      entries.push(deed('actions', label, type, { do: action, connection }, id));
    }
  }
  for (const pipeline of pipelines) {
    const { id, name } = pipeline;
    for (const action of pipelineActions(pipeline)) {
      const label = t(`palette.do.${action}`, { name });
      entries.push(deed('actions', label, '', { do: action, pipeline }, id));
    }
  }
  for (const action of ['shortcuts', 'signOut'] as const)
    entries.push(deed('actions', t(`palette.do.${action}`), '', { do: action }, ''));
  return entries;
}

const kShown = 30;
const kShownOfGroup = 8;

/**
 * What is offered for what was typed: every word must occur; names that begin with it come first. Without words, what was visited
 * last and the pages.
 */
export function matching(entries: readonly Entry[], search: string, recent: readonly string[]) {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) {
    const visited = recent
      .map((to) => entries.find((entry) => entry.key === to))
      .filter((entry) => entry !== undefined)
      .map((entry): Entry => ({ ...entry, key: `recent ${entry.key}`, group: 'recent' }));
    return [...visited, ...entries.filter((entry) => entry.group === 'pages')];
  }
  const phrase = words.join(' ');
  const groups = new Map<Group, { first: Entry[]; rest: Entry[] }>();
  for (const entry of entries) {
    const label = entry.label.toLowerCase();
    const text = `${label} ${entry.note.toLowerCase()}`;
    if (!words.every((word) => text.includes(word))) continue;
    const group = groups.get(entry.group) ?? { first: [], rest: [] };
    groups.set(entry.group, group);
    (label.startsWith(phrase) ? group.first : group.rest).push(entry);
  }
  return [...groups.values()]
    .flatMap(({ first, rest }) => [...first, ...rest].slice(0, kShownOfGroup))
    .slice(0, kShown);
}
