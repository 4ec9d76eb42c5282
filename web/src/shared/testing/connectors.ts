import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonSchema } from '@/shared/form';

export interface SchemaFile {
  /** "modbus/functions/read" */
  name: string;
  schema: JsonSchema;
  isFunction: boolean;
}

const root = join(import.meta.dirname, '../../../../connectors');

/** Every schema of the connectors in this repository, as they are now. */
export function connectorSchemas(): SchemaFile[] {
  const found: SchemaFile[] = [];
  const read = (path: string, isFunction: boolean) =>
    found.push({
      name: path.replace('.schema.json', ''),
      schema: JSON.parse(readFileSync(join(root, path), 'utf8')),
      isFunction,
    });
  for (const { name } of readdirSync(root, { withFileTypes: true }).filter((one) =>
    one.isDirectory(),
  )) {
    if (existsSync(join(root, `${name}/connection.schema.json`)))
      read(`${name}/connection.schema.json`, false);
    const functions = join(root, `${name}/functions/`);
    if (!existsSync(functions)) continue;
    for (const file of readdirSync(functions).filter((one) => one.endsWith('.schema.json'))) {
      read(`${name}/functions/${file}`, true);
    }
  }
  return found;
}
