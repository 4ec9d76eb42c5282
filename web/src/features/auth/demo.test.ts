import { describe, expect, it } from 'vitest';
import { demo, filledIn, variablesOf } from './demo';

describe('the demo', () => {
  it('asks for what its document leaves open', () => {
    expect(variablesOf(demo)).toEqual({ host: '127.0.0.1', port: '502' });
  });

  it('fills in what was said, as numbers where numbers belong', () => {
    const [connection] = demo.connections;
    expect(filledIn(connection?.settings ?? {}, { host: '192.0.2.7', port: '1502' })).toEqual({
      host: '192.0.2.7',
      port: 1502,
      unitId: 1,
    });
  });
});
