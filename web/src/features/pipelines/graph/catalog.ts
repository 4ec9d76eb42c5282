import { isObject, type JsonObject, type JsonSchema } from '@/shared/form';
import types from './node-types.json';

export interface NodeType {
  type: string;
  trigger: boolean;
  /** Ports that are always there; empty where the settings decide. */
  ports: string[];
  schema: JsonSchema;
}

/** Every node type of the hub, as its sources declare it (npm run nodes). */
export const nodeTypes = types as NodeType[];

const byType = new Map(nodeTypes.map((one) => [one.type, one]));

export const nodeType = (type: string): NodeType | undefined => byType.get(type);

export type Category = 'trigger' | 'flow' | 'shape' | 'time' | 'call';

const categories: Record<Exclude<Category, 'trigger'>, string[]> = {
  call: ['function', 'enrich', 'respond'],
  flow: ['condition', 'switch', 'filter', 'merge', 'forEach', 'deduplicate', 'deadband'],
  shape: ['set', 'script', 'convert', 'template', 'parse'],
  time: ['wait', 'buffer', 'aggregate'],
};

/** The shelf of the palette on which a type lies; one that nobody sorted in lies with what shapes records. */
export function categoryOf({ type, trigger }: NodeType): Category {
  if (trigger) return 'trigger';
  for (const [category, members] of Object.entries(categories)) {
    if (members.includes(type)) return category as Category;
  }
  return 'shape';
}

export const categoryOrder: Category[] = ['trigger', 'shape', 'flow', 'time', 'call'];

function ownPorts(type: string, settings: JsonObject): string[] {
  const known = byType.get(type);
  if (!known) return ['out'];
  if (known.ports.length > 0) return known.ports;
  if (type === 'switch') {
    const cases = Array.isArray(settings.cases) ? settings.cases : [];
    const names = cases.map((one, index) =>
      isObject(one) && typeof one.name === 'string' && one.name !== ''
        ? one.name
        : `case${index + 1}`,
    );
    return [...names, 'default'];
  }
  if (settings.late === 'port') return ['out', 'late'];
  if (settings.onTimeout === 'port') return ['out', 'timeout'];
  return ['out'];
}

interface Ported {
  type: string;
  settings?: JsonObject;
  onError?: string;
}

/** The ports by which records leave a node, the first being the one that an edge without a port means. */
export function portsOf({ type, settings = {}, onError }: Ported): string[] {
  const ports = ownPorts(type, settings);
  return onError === 'errorPort' ? [...ports, 'error'] : ports;
}
