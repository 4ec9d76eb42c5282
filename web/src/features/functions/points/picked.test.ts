import { describe, expect, it } from 'vitest';
import { connectorSchemas } from '@/shared/testing/connectors';
import { pickedIn, withPoints } from './picked';

const picked = [
  {
    id: 'ns=2;s=speed',
    name: 'Speed',
    hasChildren: false,
    details: { dataType: 'Double' },
    path: ['Filler', 'Speed'],
  },
];

describe('what was picked on another page', () => {
  it('begins the list of points of a function that has one', () => {
    const read = connectorSchemas().find((one) => one.name === 'opcua/functions/read');
    const settings = withPoints(read?.schema ?? {}, pickedIn({ picked }));
    expect(settings?.nodes).toMatchObject([{ name: 'Speed', nodeId: 'ns=2;s=speed' }]);
  });

  it('is nothing where nothing was picked, or where there is no list', () => {
    expect(pickedIn(null)).toEqual([]);
    expect(pickedIn({ picked: 'x' })).toEqual([]);
    expect(withPoints({ type: 'object', properties: {} }, picked)).toBeUndefined();
  });
});
