import type { JsonObject, JsonSchema } from '@/shared/form';
import { nextName } from '@/shared/form/fields/TableField';
import { shapeOf } from '@/shared/form/resolve';
import { cellValue, type PointSchema } from './rows';

/** A node as the device's browse tells of it. */
interface Node {
  id: string;
  name: string;
  details: Record<string, unknown>;
}

/** Whether a detail may stand in a member: of its type and, where it has choices, one of them. */
function fits(schema: JsonSchema, detail: unknown): boolean {
  if (schema.enum) return schema.enum.includes(detail);
  return schema.type === 'integer' || schema.type === 'number'
    ? typeof detail === 'number'
    : typeof detail === schema.type;
}

/**
 * Points for the nodes that were picked. The node's id is what the schema must have besides the key (an address, a node id), or
 * the key itself; details of the same name as a member are taken where they fit. Names are made different from all others.
 */
export function fromNodes(
  nodes: readonly Node[],
  point: PointSchema,
  rows: readonly JsonObject[],
): JsonObject[] {
  const { properties, required } = shapeOf(point.items, {}, point.root);
  const schemas = new Map(properties);
  const address = [...required].find((name) => {
    const schema = schemas.get(name);
    return name !== point.key && schema && schema.enum === undefined;
  });
  const taken = new Set(rows.map((row) => row[point.key]));
  return nodes.map(({ id, name, details }) => {
    const row: JsonObject = {};
    for (const [member, schema] of properties) {
      if (fits(schema, details[member])) row[member] = details[member];
    }
    if (address) row[address] = cellValue(schemas.get(address) ?? {}, id);
    const wanted = address ? name : id;
    row[point.key] = taken.has(wanted) ? nextName(wanted, taken) : wanted;
    taken.add(row[point.key]);
    return row;
  });
}
