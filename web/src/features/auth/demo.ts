import { api, ask, type Schemas } from '@/shared/api';
import plant from './demo-plant.json';

type DemoFunction = Schemas['FunctionCreate'];
type DemoConnection = Schemas['ConnectionCreate'] & { functions: DemoFunction[] };
type DemoPipeline = Record<string, unknown>;

/** The document of the simulated plant: connections with functions, and pipelines that name them. */
export const demo = plant as unknown as {
  connections: DemoConnection[];
  pipelines: DemoPipeline[];
};

const kVariable = /^\$\{(\w+):-(.*)\}$/;

/** The variables of the document (`${name:-default}`) with their defaults. */
export function variablesOf(document: typeof demo): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { settings = {} } of document.connections)
    for (const value of Object.values(settings)) {
      const [, name, preset = ''] = kVariable.exec(String(value)) ?? [];
      if (name) found[name] = preset;
    }
  return found;
}

/** Settings with the values of their variables; where the default is a number, so is the value. */
export function filledIn(
  settings: Record<string, unknown>,
  values: Record<string, string>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => {
      const [, name, preset = ''] = kVariable.exec(String(value)) ?? [];
      if (!name) return [key, value];
      const text = values[name] ?? preset;
      return [key, /^\d+$/.test(preset) ? Number(text) : text];
    }),
  );
}

/** Makes the connections, functions and pipelines of the demo; answers with the first connection. */
export async function makeDemo(values: Record<string, string>): Promise<Schemas['Connection']> {
  const made: Schemas['Connection'][] = [];
  for (const { functions, ...profile } of demo.connections) {
    const body = { ...profile, settings: filledIn(profile.settings ?? {}, values) };
    const connection = await ask(api.POST('/connections', { body }));
    const params = { path: { id: connection.id } };
    for (const one of functions)
      await ask(api.POST('/connections/{id}/functions', { params, body: one }));
    made.push(connection);
  }
  for (const document of demo.pipelines)
    await ask(
      api.POST('/pipelines/import', { body: { document, conflict: 'rename', enabled: true } }),
    );
  const [first] = made;
  if (!first) throw new Error('The demo has no connection');
  return first;
}
