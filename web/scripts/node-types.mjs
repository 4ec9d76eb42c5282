// Writes src/features/pipelines/graph/node-types.json from the node types' sources: a copy that is made by hand would grow old. A unit
// test fails when the file is not what this would write, another when it is not what the hub tells (GET /node-types).
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const sources = join(import.meta.dirname, '../../src/orchestrate/nodes');
const target = join(import.meta.dirname, '../src/features/pipelines/graph/node-types.json');

/** Every node type with its schema and its fixed ports (empty where the settings decide), by name. */
export function nodeTypes() {
  const found = [];
  for (const file of readdirSync(sources).filter((name) => name.endsWith('.cpp'))) {
    const text = readFileSync(join(sources, file), 'utf8');
    const schemas = new Map(
      [...text.matchAll(/string_view (k\w*Schema) = R"\(([\s\S]*?)\)";/g)].map((match) => [
        match[1],
        JSON.parse(match[2]),
      ]),
    );
    for (const [, type, trigger, schema, ports] of text.matchAll(
      /return \{"([\w.]+)", (true|false), (k\w*Schema), \{([^}]*)\}/g,
    )) {
      const { $schema: _, ...rest } = schemas.get(schema);
      found.push({
        type,
        trigger: trigger === 'true',
        ports: [...ports.matchAll(/"(\w+)"/g)].map((match) => match[1]),
        schema: rest,
      });
    }
  }
  return found.sort((a, b) => (a.type < b.type ? -1 : 1));
}

export const print = (types) => `${JSON.stringify(types, null, 1)}\n`;

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(target, print(nodeTypes()));
