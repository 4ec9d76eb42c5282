import { describe, expect, it } from 'vitest';
import { connectorSchemas } from '@/shared/testing/connectors';
import { ownIn } from './own';

const schemaOf = (name: string) =>
  connectorSchemas().find((one) => one.name === `${name}/connection`)?.schema ?? {};

describe('what a profile shows a server of ours', () => {
  it('is the hub’s application certificate where the connector shows one', () => {
    expect(ownIn(schemaOf('opcua'), {})).toEqual({ application: true, given: false });
    expect(ownIn(schemaOf('opcua'), { applicationCertificate: 'PEM' })).toEqual({
      application: false,
      given: true,
    });
  });

  it('is what stands in the settings, however deep; without that, nothing', () => {
    const mqtt = schemaOf('mqtt');
    expect(ownIn(mqtt, { tls: { clientCertificate: 'PEM' } }).given).toBe(true);
    expect(ownIn(mqtt, { tls: { ca: 'PEM' } })).toEqual({ application: false, given: false });
  });
});
