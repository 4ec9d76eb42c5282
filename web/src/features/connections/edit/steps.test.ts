import { describe, expect, it } from 'vitest';
import { connectorSchemas } from '@/shared/testing/connectors';
import { splitSettings, stepOf, stepsOf } from './steps';

const connections = connectorSchemas().filter((one) => !one.isFunction);

describe.each(connections)('the steps for $name', ({ schema }) => {
  const split = splitSettings(schema);
  const all = Object.keys(schema.properties ?? {});

  it('ask for every setting exactly once, in the order of the schema', () => {
    expect([...split.endpoint, ...split.security].toSorted()).toEqual(all.toSorted());
    for (const names of [split.endpoint, split.security])
      expect(names).toEqual(all.filter((name) => names.includes(name)));
  });

  it('begin with how it is reached, and find the step of every field', () => {
    expect(split.endpoint).toContain(all[0]);
    for (const name of all) {
      const step = stepOf(`/settings/${name}`, split);
      expect(stepsOf(split)).toContain(step);
      expect(stepOf(`/settings/${name}/inner/0`, split)).toBe(step);
    }
  });
});

describe('steps', () => {
  it('have one for security where there is something to keep secret or to trust', () => {
    const withSecurity = connections
      .filter(({ schema }) => stepsOf(splitSettings(schema)).includes('security'))
      .map(({ name }) => name);
    expect(withSecurity).toEqual(
      expect.arrayContaining(['mqtt/connection', 'opcua/connection', 'rest/connection']),
    );
    expect(withSecurity).not.toContain('file/connection');
  });

  it('lead from what the hub names to where it is asked', () => {
    const split = { endpoint: ['host'], security: ['password'] };
    expect(stepOf('/secrets', split)).toBe('security');
    expect(stepOf('/secrets/password', split)).toBe('security');
    expect(stepOf('/name', split)).toBe('name');
    expect(stepOf('/reconnect/maxDelayMs', split)).toBe('name');
    expect(stepOf('/nowhere', split)).toBeNull();
  });
});
