import type { Connection } from '@/shared/data/connections';

/** Where a connection leads, as people say it. Known names of settings first, whatever the connector. */
export function addressOf({ settings }: Pick<Connection, 'settings'>): string {
  const text = (name: string): string => {
    const value = settings[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  const url = text('endpointUrl') || text('baseUrl') || text('endpoint') || text('url');
  if (url) return url;
  const host = text('host');
  if (host) return text('port') ? `${host}:${text('port')}` : host;
  return text('root') || text('path') || text('bucket');
}
