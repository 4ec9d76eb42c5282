import type { TFunction } from 'i18next';
import type { Schemas } from '@/shared/api';
import { isObject, type JsonObject, type JsonSchema } from '@/shared/form';
import { targetMembers } from '../form/targets';

export type Window = Schemas['MaintenanceWindow'];
export type WindowCreate = Schemas['MaintenanceWindowCreate'];
type Schedule = Schemas['MaintenanceSchedule'];

export const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export const weeks = ['first', 'second', 'third', 'fourth', 'last'] as const;
// The hub has one kind "monthly" with two ways to say when; a form shows them as what they are to a person.
const kinds = ['once', 'daily', 'weekly', 'monthlyByDay', 'monthlyByWeek'] as const;

const titles = <T extends string>(names: readonly T[], title: (name: T) => string) =>
  Object.fromEntries(names.map((name) => [name, title(name)]));

export const ownZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

/** Every zone that the browser knows, and those that are in use already. */
function zones(used: string | undefined): string[] {
  const known = Intl.supportedValuesOf?.('timeZone') ?? [];
  return [...new Set(['UTC', ownZone(), ...(used ? [used] : []), ...known])];
}

function scheduleSchema(t: TFunction): JsonSchema {
  const dayTitles = titles(days, (day) => t(`health.days.${day}`));
  const of = (...shown: (typeof kinds)[number][]) => ({
    'x-showWhen': { property: 'kind', in: shown },
  });
  const repeated = kinds.filter((kind) => kind !== 'once');
  const needs = (kind: (typeof kinds)[number], required: string[]): JsonSchema => ({
    if: { properties: { kind: { const: kind } }, required: ['kind'] },
    // biome-ignore lint/suspicious/noThenProperty: JSON Schema's word
    then: { required },
  });
  return {
    type: 'object',
    title: t('health.windows.schedule'),
    required: ['kind'],
    properties: {
      kind: {
        type: 'string',
        title: t('health.windows.kind'),
        enum: [...kinds],
        default: 'once',
        'x-enumTitles': titles(kinds, (kind) => t(`health.windows.kinds.${kind}`)),
      },
      from: { type: 'string', title: t('health.from'), 'x-widget': 'dateTime', ...of('once') },
      to: { type: 'string', title: t('health.to'), 'x-widget': 'dateTime', ...of('once') },
      days: {
        type: 'array',
        title: t('health.windows.onDays'),
        items: { type: 'string', enum: [...days], 'x-enumTitles': dayTitles },
        minItems: 1,
        'x-widget': 'checks',
        ...of('weekly'),
      },
      dayOfMonth: {
        type: 'integer',
        title: t('health.windows.dayOfMonth'),
        description: t('health.windows.dayOfMonthHelp'),
        minimum: 1,
        maximum: 31,
        ...of('monthlyByDay'),
      },
      week: {
        type: 'string',
        title: t('health.windows.week'),
        enum: [...weeks],
        'x-enumTitles': titles(weeks, (week) => t(`health.windows.weeks.${week}`)),
        ...of('monthlyByWeek'),
      },
      day: {
        type: 'string',
        title: t('health.windows.day'),
        enum: [...days],
        'x-enumTitles': dayTitles,
        ...of('monthlyByWeek'),
      },
      at: {
        type: 'string',
        title: t('health.windows.at'),
        description: t('health.windows.atHelp'),
        'x-widget': 'clock',
        ...of(...repeated),
      },
      durationMinutes: {
        type: 'integer',
        title: t('health.windows.duration'),
        minimum: 1,
        maximum: 40_320,
        'x-unit': 'min',
        ...of(...repeated),
      },
    },
    allOf: [
      needs('once', ['from', 'to']),
      needs('daily', ['at', 'durationMinutes']),
      needs('weekly', ['days', 'at', 'durationMinutes']),
      needs('monthlyByDay', ['dayOfMonth', 'at', 'durationMinutes']),
      needs('monthlyByWeek', ['week', 'day', 'at', 'durationMinutes']),
    ],
  };
}

/** The form of a maintenance window (docs/maintenance-windows.md). */
export function windowSchema(
  t: TFunction,
  types: readonly string[],
  used: string | undefined,
): JsonSchema {
  const chosen = { 'x-showWhen': { property: 'all', in: [false, undefined] } };
  return {
    type: 'object',
    required: ['name', 'reason', 'timeZone', 'schedule', 'targets'],
    properties: {
      name: {
        type: 'string',
        title: t('common.name'),
        minLength: 1,
        maxLength: 100,
        examples: [t('health.windows.nameExample')],
      },
      reason: {
        type: 'string',
        title: t('health.windows.reason'),
        description: t('health.windows.reasonHelp'),
        minLength: 1,
        maxLength: 300,
      },
      schedule: scheduleSchema(t),
      timeZone: {
        type: 'string',
        title: t('health.windows.timeZone'),
        description: t('health.windows.timeZoneHelp'),
        enum: zones(used),
        default: ownZone(),
      },
      // biome-ignore lint/suspicious/noThenProperty: the API's word
      then: {
        type: 'string',
        title: t('health.windows.atEnd'),
        enum: ['resumeAndStart', 'resume'],
        default: 'resumeAndStart',
        'x-enumTitles': {
          resumeAndStart: t('health.windows.thenStart'),
          resume: t('health.windows.thenWait'),
        },
      },
      targets: {
        type: 'object',
        title: t('health.form.targets'),
        description: t('health.form.targetsHelp'),
        properties: {
          all: { type: 'boolean', title: t('health.form.all'), default: false },
          ...targetMembers(t, types, chosen),
        },
      },
      description: {
        type: 'string',
        title: t('common.description'),
        maxLength: 2000,
        'x-widget': 'textarea',
      },
      enabled: { type: 'boolean', title: t('health.form.enabled'), default: true },
    },
  };
}

/** A window as its form holds it. */
export function toForm(window: Window): JsonObject {
  const { name, description, reason, timeZone, then, enabled, targets } = window;
  const schedule = { ...window.schedule } as JsonObject;
  if (schedule.kind === 'monthly')
    schedule.kind = schedule.dayOfMonth === undefined ? 'monthlyByWeek' : 'monthlyByDay';
  return { name, description, reason, timeZone, then, enabled, targets, schedule };
}

/** What a form holds, as the hub takes it. */
export function fromForm(value: JsonObject): WindowCreate {
  const { all, ...chosen } = isObject(value.targets) ? value.targets : {};
  const schedule = isObject(value.schedule) ? value.schedule : {};
  const kind = String(schedule.kind).startsWith('monthly') ? 'monthly' : schedule.kind;
  return {
    ...value,
    schedule: { ...schedule, kind },
    targets: all === true ? { all } : chosen,
  } as WindowCreate;
}

/** When, in words. */
export function scheduleWords(schedule: Schedule, t: TFunction): string {
  if (schedule.kind === 'once')
    return t('health.windows.words.once', {
      from: schedule.from.replace('T', ' '),
      to: schedule.to.replace('T', ' '),
    });
  const common = { at: schedule.at, minutes: schedule.durationMinutes };
  switch (schedule.kind) {
    case 'daily':
      return t('health.windows.words.daily', common);
    case 'weekly':
      return t('health.windows.words.weekly', {
        ...common,
        days: schedule.days.map((day) => t(`health.days.${day}`)).join(', '),
      });
    case 'monthly':
      return schedule.dayOfMonth === undefined
        ? t('health.windows.words.monthlyByWeek', {
            ...common,
            week: t(`health.windows.weeks.${schedule.week ?? 'first'}`),
            day: t(`health.days.${schedule.day ?? 'mon'}`),
          })
        : t('health.windows.words.monthlyByDay', { ...common, day: schedule.dayOfMonth });
  }
}
