import type { TFunction } from 'i18next';
import type { JsonSchema } from '@/shared/form';
import { nodeType } from '../graph/catalog';

const span = '^[1-9][0-9]{0,8}(ms|s|m|h|d)$';

/** Waits between attempts, of calls and of deliveries. */
function waits(t: TFunction): Record<string, JsonSchema> {
  return {
    initialDelayMs: {
      type: 'integer',
      title: t('panel.common.initialDelayMs'),
      minimum: 10,
      maximum: 600000,
      default: 500,
      'x-unit': 'ms',
    },
    maxDelayMs: {
      type: 'integer',
      title: t('panel.common.maxDelayMs'),
      minimum: 10,
      maximum: 3600000,
      default: 30000,
      'x-unit': 'ms',
    },
  };
}

/** Of nodes that call a function. No attempts are filled in: a node without them does not try again. */
function retry(t: TFunction): JsonSchema {
  return {
    type: 'object',
    title: t('panel.common.retry'),
    description: t('panel.common.retryHelp'),
    properties: {
      maxAttempts: {
        type: 'integer',
        title: t('panel.common.attempts'),
        minimum: 1,
        maximum: 100,
        examples: [3],
      },
      ...waits(t),
      multiplier: {
        type: 'number',
        title: t('panel.common.multiplier'),
        minimum: 1,
        maximum: 10,
        default: 2,
      },
    },
  };
}

function delivery(t: TFunction): JsonSchema {
  const durable = { property: 'mode', in: ['durable'] };
  return {
    type: 'object',
    title: t('panel.common.delivery'),
    description: t('panel.common.deliveryHelp'),
    required: ['mode'],
    properties: {
      mode: {
        type: 'string',
        title: t('panel.common.mode'),
        enum: ['best-effort', 'durable'],
        default: 'best-effort',
        'x-enumTitles': {
          'best-effort': t('panel.common.bestEffort'),
          durable: t('panel.common.durable'),
        },
      },
      deadLetterAfter: {
        type: 'string',
        title: t('panel.common.deadLetterAfter'),
        description: t('panel.common.deadLetterAfterHelp'),
        pattern: span,
        default: '24h',
        'x-showWhen': durable,
      },
      maxBytes: {
        type: 'integer',
        title: t('panel.common.maxBytes'),
        minimum: 65536,
        default: 268435456,
        'x-unit': 'B',
        'x-showWhen': durable,
      },
      whenFull: {
        type: 'string',
        title: t('panel.common.whenFull'),
        enum: ['block', 'dropOldest', 'dropNewest'],
        default: 'block',
        'x-enumTitles': {
          block: t('panel.common.block'),
          dropOldest: t('panel.common.dropOldest'),
          dropNewest: t('panel.common.dropNewest'),
        },
        'x-showWhen': durable,
      },
      batchSize: {
        type: 'integer',
        title: t('panel.common.batchSize'),
        minimum: 1,
        maximum: 10000,
        default: 500,
        'x-showWhen': durable,
      },
      retry: {
        type: 'object',
        title: t('panel.common.retry'),
        'x-showWhen': durable,
        properties: {
          maxAttempts: {
            type: 'integer',
            title: t('panel.common.attempts'),
            description: t('panel.common.attemptsHelp'),
            minimum: 0,
            maximum: 1000000,
            default: 0,
          },
          ...waits(t),
        },
      },
      repeatUnknown: {
        type: 'boolean',
        title: t('panel.common.repeatUnknown'),
        description: t('panel.common.repeatUnknownHelp'),
        default: false,
        'x-showWhen': durable,
      },
      order: {
        type: 'string',
        title: t('panel.common.order'),
        enum: ['strict', 'liveFirst'],
        default: 'strict',
        'x-enumTitles': {
          strict: t('panel.common.strict'),
          liveFirst: t('panel.common.liveFirst'),
        },
        'x-showWhen': durable,
      },
      backfillPerSecond: {
        type: 'integer',
        title: t('panel.common.backfillPerSecond'),
        description: t('panel.common.attemptsHelp'),
        minimum: 0,
        maximum: 1000000,
        default: 0,
        'x-unit': '1/s',
        'x-showWhen': durable,
      },
    },
  };
}

/** What every node has beside its settings, as far as it means something for the type. */
export function commonSchema(type: string, t: TFunction): JsonSchema {
  const calls = type === 'function' || type === 'enrich';
  return {
    type: 'object',
    properties: {
      title: {
        type: 'string',
        title: t('panel.common.title'),
        description: t('panel.common.titleHelp'),
        maxLength: 128,
      },
      notes: {
        type: 'string',
        title: t('panel.common.notes'),
        maxLength: 4000,
        'x-widget': 'textarea',
      },
      ...(nodeType(type)?.trigger
        ? {}
        : {
            onError: {
              type: 'string',
              title: t('panel.common.onError'),
              description: t('panel.common.onErrorHelp'),
              enum: ['stop', 'continue', 'errorPort'],
              default: 'stop',
              'x-enumTitles': {
                stop: t('panel.common.stop'),
                continue: t('panel.common.continue'),
                errorPort: t('panel.common.errorPort'),
              },
            },
          }),
      ...(calls
        ? {
            timeoutMs: {
              type: 'integer',
              title: t('panel.common.timeoutMs'),
              minimum: 1,
              maximum: 600000,
              default: 10000,
              'x-unit': 'ms',
            },
            retry: retry(t),
          }
        : {}),
      ...(type === 'function' ? { delivery: delivery(t) } : {}),
    },
  } as JsonSchema;
}

/** What a pipeline has beside its graph. */
export function documentSchema(t: TFunction): JsonSchema {
  return {
    type: 'object',
    properties: {
      description: {
        type: 'string',
        title: t('panel.document.description'),
        maxLength: 4000,
        'x-widget': 'textarea',
      },
      history: {
        type: 'string',
        title: t('panel.document.history'),
        enum: ['off', 'minimal', 'standard', 'full'],
        default: 'standard',
        'x-enumTitles': {
          off: t('panel.document.off'),
          minimal: t('panel.document.minimal'),
          standard: t('panel.document.standard'),
          full: t('panel.document.full'),
        },
      },
      priority: {
        type: 'string',
        title: t('panel.document.priority'),
        enum: ['low', 'normal', 'high'],
        default: 'normal',
        'x-enumTitles': {
          low: t('panel.document.low'),
          normal: t('panel.document.normal'),
          high: t('panel.document.high'),
        },
      },
      keepRuns: {
        type: 'integer',
        title: t('panel.document.keepRuns'),
        minimum: 1,
        maximum: 10000,
        default: 100,
      },
      keepRunsFor: {
        type: 'string',
        title: t('panel.document.keepRunsFor'),
        pattern: span,
        default: '30d',
      },
      overlap: {
        type: 'object',
        title: t('panel.document.overlap'),
        properties: {
          policy: {
            type: 'string',
            title: t('panel.document.policy'),
            enum: ['queue', 'skip', 'restart', 'parallel'],
            default: 'queue',
            'x-enumTitles': {
              queue: t('panel.document.queue'),
              skip: t('panel.document.skip'),
              restart: t('panel.document.restart'),
              parallel: t('panel.document.parallel'),
            },
          },
          size: {
            type: 'integer',
            title: t('panel.document.size'),
            minimum: 1,
            maximum: 1000,
            'x-showWhen': { property: 'policy', in: ['queue', 'parallel'] },
          },
          max: {
            type: 'integer',
            title: t('panel.document.max'),
            minimum: 2,
            maximum: 64,
            'x-showWhen': { property: 'policy', in: ['parallel'] },
          },
        },
      },
    },
  };
}
