import { describe, expect, it } from 'vitest';
import type { JsonSchema } from '@/shared/form';
import { parameterForm, parametersOf, parameterValue } from './parameters';

const schema: JsonSchema = {
  type: 'object',
  $defs: {
    point: {
      type: 'object',
      properties: { address: { type: 'integer', title: 'Address', minimum: 0 } },
    },
  },
  properties: {
    unitId: {
      type: 'integer',
      title: 'Unit id',
      description: 'Of the line.',
      maximum: 255,
      default: 1,
    },
    order: { type: 'string', title: 'Order', enum: ['asc', 'desc'] },
    query: { type: 'string' },
    comment: { type: 'string', title: 'Comment', default: '', examples: ['((why))', 'Seen'] },
    values: { type: 'object' },
    points: { type: 'array', items: { $ref: '#/$defs/point' } },
  },
};

describe('the form of a call', () => {
  const form = parameterForm(
    schema,
    {
      unitId: '((unit))',
      order: '((direction))',
      query: 'select * from t where line = ((line))',
      comment: '((why))',
      values: { speed: '((speed))' },
      points: [{ address: '((start))' }],
    },
    ['unit', 'direction', 'line', 'speed', 'start', 'why'],
    'JSON or text',
  );

  it('asks for a value as the place wants it where the placeholder stands alone', () => {
    expect(form.schema.properties?.unit).toEqual({
      type: 'integer',
      title: 'unit',
      description: 'Unit id: Of the line.',
      maximum: 255,
    });
    expect(form.schema.properties?.direction?.enum).toEqual(['asc', 'desc']);
    expect(form.schema.properties?.start?.minimum).toBe(0);
    expect(form.schema.required).toEqual(['unit', 'direction', 'line', 'speed', 'start']);
  });

  it('does not insist on a text that may be empty, and shows no placeholder as an example', () => {
    expect(form.schema.properties?.why).toEqual({
      type: 'string',
      title: 'why',
      description: 'Comment',
      default: '',
      examples: ['Seen'],
    });
  });

  it('takes JSON or text where the place says nothing', () => {
    expect([...form.free]).toEqual(['line', 'speed']);
    expect(parametersOf({ unit: 3, line: 'L3', speed: '1500' }, form)).toEqual({
      unit: 3,
      line: 'L3',
      speed: 1500,
      why: '',
    });
  });
});

describe('a free value', () => {
  it.each([
    ['1500', 1500],
    ['true', true],
    ['{"a":1}', { a: 1 }],
    ['', ''],
    ['line 3', 'line 3'],
  ])('%j is %j', (text, value) => {
    expect(parameterValue(text)).toEqual(value);
  });
});
