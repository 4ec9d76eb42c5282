import { describe, expect, it } from 'vitest';
import type { JsonSchema } from '@/shared/form';
import { fromNodes } from './from-nodes';
import {
  cellValue,
  columnsOf,
  compare,
  copyText,
  duplicate,
  type PointSchema,
  parseCells,
  paste,
  pointSchemaOf,
} from './rows';

const root: JsonSchema = {
  $defs: {
    point: {
      type: 'object',
      required: ['name', 'address', 'dataType'],
      properties: {
        name: { type: 'string', title: 'Name' },
        address: { type: 'integer', title: 'Address', minimum: 0 },
        dataType: {
          type: 'string',
          title: 'Data type',
          enum: ['uint16', 'string'],
          'x-enumTitles': { string: 'text' },
        },
        scale: { type: 'number', title: 'Scale', default: 1 },
        signed: { type: 'boolean' },
        length: {
          type: 'integer',
          'x-showWhen': { property: 'dataType', in: ['string'] },
        },
      },
    },
  },
};
const point: PointSchema = pointSchemaOf(
  { type: 'array', 'x-key': 'name', items: { $ref: '#/$defs/point' } },
  root,
);
const columns = columnsOf(point, []);
const speed = { name: 'speed', address: 0, dataType: 'uint16' };
const level = { name: 'level', address: 4, dataType: 'uint16' };
const start = { places: [0, 1, 2], column: 0, columns };

describe('the columns of a list of points', () => {
  it('are the members, those that only some rows can have when a row has them', () => {
    expect(columns.map(({ name }) => name)).toEqual([
      'name',
      'address',
      'dataType',
      'scale',
      'signed',
    ]);
    expect(columnsOf(point, [{ ...speed, length: 4 }]).at(-1)?.name).toBe('length');
  });
});

describe('what a cell means', () => {
  const schemaOf = (name: string) => columns.find((one) => one.name === name)?.schema ?? {};
  it.each([
    ['address', '12', 12],
    ['address', '0x1F', 31],
    ['address', 'twelve', 'twelve'],
    ['address', '((start))', '((start))'],
    ['address', '  ', undefined],
    ['scale', '0,5', 0.5],
    ['signed', 'Yes', true],
    ['signed', '0', false],
    ['signed', 'perhaps', 'perhaps'],
    ['dataType', 'UINT16', 'uint16'],
    ['dataType', 'Text', 'string'],
    ['dataType', 'float', 'float'],
    ['name', "'=speed", '=speed'],
    ['name', "it's", "it's"],
  ])('%s: "%s" is %j', (name, text, value) => {
    expect(cellValue(schemaOf(name), text)).toEqual(value);
  });
});

describe('the clipboard', () => {
  it('is read as spreadsheets write it, with quotes, line ends and empty lines', () => {
    expect(parseCells('a\t"b\tc"\r\n"d ""e"""\tf\r\n\r\n')).toEqual([
      ['a', 'b\tc'],
      ['d "e"', 'f'],
    ]);
    expect(parseCells('\ufeffname;address\nspeed;1')).toEqual([
      ['name', 'address'],
      ['speed', '1'],
    ]);
  });

  it('puts a block where the cursor is, and makes rows where it reaches beyond the end', () => {
    const { rows, first, count } = paste([speed, level], '7\tuint16\n8\tTEXT', point, {
      places: [1],
      column: 1,
      columns,
    });
    expect(rows).toEqual([speed, { ...level, address: 7 }, { address: 8, dataType: 'string' }]);
    expect({ first, count }).toEqual({ first: 1, count: 2 });
  });

  it('leaves rows alone that are not shown between those that are', () => {
    const { rows } = paste([speed, level, { ...speed, name: 'flow' }], '7\n8', point, {
      places: [0, 2],
      column: 1,
      columns,
    });
    expect(rows.map(({ address }) => address)).toEqual([7, 4, 8]);
  });

  it('takes a block with headings as points: known ones are changed, others added', () => {
    const { rows, first } = paste(
      [speed, level],
      'Address\tName\tData type\n9\tlevel\tuint16\n10\tflow\tuint16',
      point,
      start,
    );
    expect(rows).toEqual([
      speed,
      { ...level, address: 9 },
      { name: 'flow', address: 10, dataType: 'uint16' },
    ]);
    expect(first).toBe(1);
  });

  it('gives back what it took, whatever stands in a name', () => {
    const odd = [
      { ...speed, name: '=HYPERLINK("x")' },
      { ...level, name: 'two\nlines\tand a tab', scale: 0.1 },
    ];
    expect(paste([], copyText(odd, point), point, { ...start, places: [] }).rows).toEqual(odd);
  });

  it('takes ten thousand rows at once', () => {
    const text = Array.from({ length: 10_000 }, (_, at) => `p${at}\t${at}\tuint16`).join('\n');
    const { rows } = paste([], text, point, { ...start, places: [] });
    expect(rows).toHaveLength(10_000);
    expect(rows[9_999]).toEqual({ name: 'p9999', address: 9999, dataType: 'uint16' });
  });
});

describe('duplicating', () => {
  it('stands behind what is copied, under names that none has', () => {
    const rows = duplicate([speed, { ...speed, name: 'speed2' }, level], [0, 1], 'name');
    expect(rows.map(({ name }) => name)).toEqual(['speed', 'speed2', 'speed3', 'speed4', 'level']);
  });
});

describe('comparing two lists', () => {
  it('says of every point what becomes of it, and in which members', () => {
    const after = [{ ...speed, address: 2, scale: 3 }, { ...level }, { ...speed, name: 'new' }];
    expect(compare([speed, level, { ...speed, name: 'old' }], after, 'name')).toEqual([
      { outcome: 'update', name: 'speed', row: 1, members: ['address', 'scale'] },
      { outcome: 'unchanged', name: 'level', row: 2, members: [] },
      { outcome: 'create', name: 'new', row: 3, members: [] },
      { outcome: 'remove', name: 'old', row: 3, members: [] },
    ]);
  });
});

describe('points from nodes', () => {
  const nodes = [
    { id: 'ns=2;s=Speed', name: 'speed', details: { dataType: 'uint16', access: 'read' } },
    { id: 'ns=2;s=Speed2', name: 'speed', details: { dataType: 'LocalizedText' } },
  ];
  const opc = pointSchemaOf(
    {
      'x-key': 'name',
      items: {
        type: 'object',
        required: ['name', 'nodeId'],
        properties: {
          name: { type: 'string' },
          nodeId: { type: 'string' },
          dataType: { type: 'string', enum: ['uint16'] },
        },
      },
    },
    {},
  );

  it('take the id as the address, details where they fit, and names that none has', () => {
    expect(fromNodes(nodes, opc, [{ name: 'speed2' }])).toEqual([
      { name: 'speed', nodeId: 'ns=2;s=Speed', dataType: 'uint16' },
      { name: 'speed3', nodeId: 'ns=2;s=Speed2' },
    ]);
  });

  it('take the id as the key where a point has nothing else that must be there', () => {
    const topics = pointSchemaOf(
      {
        'x-key': 'topic',
        items: { type: 'object', required: ['topic'], properties: { topic: { type: 'string' } } },
      },
      {},
    );
    expect(fromNodes(nodes.slice(0, 1), topics, [])).toEqual([{ topic: 'ns=2;s=Speed' }]);
  });
});
