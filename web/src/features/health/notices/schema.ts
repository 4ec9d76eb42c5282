import type { TFunction } from 'i18next';
import type { Schemas } from '@/shared/api';
import type { JsonObject, JsonSchema } from '@/shared/form';
import { statusOrder } from '@/shared/status';
import { targetMembers } from '../form/targets';

export type Notice = Schemas['Notice'];
export type NoticeCreate = Schemas['NoticeCreate'];

const kDay = 86_400_000;

/** The form of a notice (docs/notices.md). */
export function noticeSchema(t: TFunction, types: readonly string[]): JsonSchema {
  const statuses = statusOrder.filter((status) => status !== 'Unknown');
  return {
    type: 'object',
    required: ['name', 'url'],
    properties: {
      name: { type: 'string', title: t('common.name'), minLength: 1, maxLength: 128 },
      url: {
        type: 'string',
        title: t('health.notices.url'),
        description: t('health.notices.urlHelp'),
        minLength: 1,
        maxLength: 2048,
        examples: ['https://alarms.plant.example/hook'],
      },
      filter: {
        type: 'object',
        title: t('health.notices.filter'),
        description: t('health.notices.filterHelp'),
        properties: {
          to: {
            type: 'array',
            title: t('health.notices.to'),
            items: {
              type: 'string',
              enum: statuses,
              'x-enumTitles': Object.fromEntries(
                statuses.map((status) => [status, t(`status.${status}`)]),
              ),
            },
            'x-widget': 'checks',
          },
          alarms: {
            type: 'array',
            title: t('health.notices.alarms'),
            description: t('health.notices.alarmsHelp'),
            items: { type: 'string', minLength: 1 },
          },
          ...targetMembers(t, types),
        },
      },
      forMs: {
        type: 'integer',
        title: t('health.notices.forMs'),
        description: t('health.notices.forMsHelp'),
        minimum: 0,
        maximum: kDay,
        default: 0,
        'x-unit': 'ms',
      },
      debounceMs: {
        type: 'integer',
        title: t('health.notices.debounceMs'),
        description: t('health.notices.debounceMsHelp'),
        minimum: 0,
        maximum: kDay,
        default: 10_000,
        'x-unit': 'ms',
      },
      headers: {
        type: 'object',
        title: t('health.notices.headers'),
        description: t('health.notices.headersHelp'),
        additionalProperties: { type: 'string' },
      },
      secret: {
        type: 'string',
        title: t('health.notices.secret'),
        description: t('health.notices.secretHelp'),
        'x-secret': true,
      },
      authorization: {
        type: 'string',
        title: t('health.notices.authorization'),
        description: t('health.notices.authorizationHelp'),
        'x-secret': true,
      },
      enabled: { type: 'boolean', title: t('health.form.enabled'), default: true },
    },
  };
}

export function toForm(notice: Notice): JsonObject {
  const { name, url, filter, forMs, debounceMs, headers, enabled } = notice;
  return { name, url, filter, forMs, debounceMs, headers, enabled };
}
