import { api, ask, type Schemas } from '@/shared/api';
import { everyConnection } from '@/shared/data/connections';
import type { HubDocument } from './commands';

// What a hub adds by itself and `tributary apply` does not take.
const kOfTheHub = [
  'id',
  'version',
  'createdAt',
  'updatedAt',
  'state',
  'intent',
  'connectionId',
  'kind',
  'parameters',
  'subscription',
  'breaker',
  'secrets',
  'maintenance',
  'nextMaintenance',
  'draft',
];

const saysNothing = (value: unknown): boolean =>
  value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);

function portable(thing: object): object {
  return Object.fromEntries(
    Object.entries(thing).filter(
      ([name, value]) =>
        !kOfTheHub.includes(name) &&
        !((name === 'description' || name === 'labels') && saysNothing(value)),
    ),
  );
}

async function functionsOf(connectionId: string): Promise<Schemas['Function'][]> {
  const { items } = await ask(
    api.GET('/connections/{id}/functions', {
      params: { path: { id: connectionId }, query: { limit: 1000 } },
    }),
  );
  return items;
}

function withFunctions(connection: Schemas['Connection'], functions: object[]): HubDocument {
  const notes = Object.entries(connection.secrets)
    .filter(([, secret]) => secret.set)
    .map(([name]) => `Set again by hand: the secret "${name}" of "${connection.name}".`);
  return { notes, connections: [{ ...portable(connection), functions: functions.map(portable) }] };
}

/** A connection with all its functions, without its secrets. */
export const connectionDocument = async (connection: Schemas['Connection']): Promise<HubDocument> =>
  withFunctions(connection, await functionsOf(connection.id));

/** One function, in the connection that it belongs to. */
export async function functionDocument(one: Schemas['Function']): Promise<HubDocument> {
  const connection = await ask(
    api.GET('/connections/{id}', { params: { path: { id: one.connectionId } } }),
  );
  return withFunctions(connection, [one]);
}

/** A maintenance window, with the names of the connections it is meant for. */
export async function windowDocument(window: Schemas['MaintenanceWindow']): Promise<HubDocument> {
  const { connectionIds, ...targets } = window.targets;
  if (!connectionIds) return { maintenanceWindows: [portable(window)] };
  const names = new Map((await everyConnection()).map(({ id, name }) => [id, name]));
  const connections = connectionIds.flatMap((id) => names.get(id) ?? []);
  return { maintenanceWindows: [portable({ ...window, targets: { ...targets, connections } })] };
}

/** A pipeline with the names of the functions it uses. */
export async function pipelineDocument(id: string): Promise<HubDocument> {
  const exported = await ask(api.GET('/pipelines/{id}/export', { params: { path: { id } } }));
  return { pipelines: [portable(exported.pipeline)] };
}
