import { expect, it } from 'vitest';
import type { JsonSchema } from '@/shared/form';
import { same, withoutDefaults } from './without-defaults';

const schema: JsonSchema = {
  type: 'object',
  properties: {
    include: { type: 'string', default: 'all' },
    fields: { type: 'object' },
    delivery: {
      type: 'object',
      required: ['mode'],
      properties: {
        mode: { type: 'string', default: 'best-effort' },
        batchSize: { type: 'integer', default: 500 },
      },
    },
  },
};
const filled = { include: 'all', delivery: { mode: 'best-effort', batchSize: 500 } };

it('drops what the form filled in, and keeps what was chosen or was there before', () => {
  expect(withoutDefaults(schema, { ...filled, fields: { a: 1 } }, {})).toEqual({
    fields: { a: 1 },
  });
  expect(withoutDefaults(schema, filled, { include: 'all' })).toEqual({ include: 'all' });
  expect(withoutDefaults(schema, { ...filled, include: 'none' }, {})).toEqual({ include: 'none' });
});

it('keeps members that must be there beside others', () => {
  const durable = { delivery: { mode: 'durable', batchSize: 500 } };
  expect(withoutDefaults(schema, durable, {})).toEqual({ delivery: { mode: 'durable' } });
  const batch = { delivery: { mode: 'best-effort', batchSize: 10 } };
  expect(withoutDefaults(schema, batch, {})).toEqual(batch);
});

it('compares by content', () => {
  expect(same({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] })).toBe(true);
  expect(same({ a: 1 }, { a: 1, b: undefined })).toBe(true);
  expect(same([1], { 0: 1 })).toBe(false);
});
