import { type OutputUnit, Validator } from '@cfworker/json-schema';
import type { TFunction } from 'i18next';
import { dereference, withoutHidden, withoutSecrets } from './resolve';
import { child, isObject, isPlaceholder, type JsonSchema } from './schema';

/** One thing that is wrong, where, and in words. The same form as the API's `errors`. */
export interface FieldError {
  pointer: string;
  message: string;
}

export interface ValidateOptions {
  /** Functions: `((name))` may stand where a number or a boolean is wanted. */
  placeholders?: boolean;
}

// These only say that something below is wrong; what it is has an entry of its own.
const kContainers = new Set([
  'properties',
  'items',
  'prefixItems',
  '$ref',
  'allOf',
  'if',
  'then',
  'else',
  'dependentSchemas',
  'dependencies',
  'false',
]);

/** A list of objects at the top of the settings: its rows are validated one by one. */
interface RowList {
  name: string;
  /** Of one row, with the definitions it may refer to. */
  schema: JsonSchema;
  validator: Validator;
}

interface Validators {
  /** Everything but the rows of the lists. */
  frame: JsonSchema;
  validator: Validator;
  lists: RowList[];
}

const known = new WeakMap<JsonSchema, Validators>();

function validatorsFor(schema: JsonSchema): Validators {
  let found = known.get(schema);
  if (found) return found;
  const settings = withoutSecrets(schema);
  const properties = { ...settings.properties };
  const lists: RowList[] = [];
  for (const [name, property] of Object.entries(properties)) {
    const items = property.type === 'array' ? property.items : undefined;
    if (!items || dereference(items, schema).type !== 'object') continue;
    const { items: _, ...list } = property;
    properties[name] = list;
    const row = { ...dereference(items, schema), ...(schema.$defs ? { $defs: schema.$defs } : {}) };
    const validator = new Validator(row as object, '2020-12', false);
    lists.push({ name, schema: row, validator });
  }
  const frame = settings.properties ? { ...settings, properties } : settings;
  found = { frame, validator: new Validator(frame as object, '2020-12', false), lists };
  known.set(schema, found);
  return found;
}

// Rows are never changed in place: of ten thousand only those are validated that are new.
const rowUnits = new WeakMap<Validator, WeakMap<object, OutputUnit[]>>();

function unitsOfRow(validator: Validator, row: unknown): OutputUnit[] {
  if (!isObject(row)) return validator.validate(row).errors;
  let rows = rowUnits.get(validator);
  if (!rows) {
    rows = new WeakMap();
    rowUnits.set(validator, rows);
  }
  let units = rows.get(row);
  if (!units) {
    units = validator.validate(row).errors;
    rows.set(row, units);
  }
  return units;
}

const pointerOf = (location: string): string => decodeURIComponent(location.replace(/^#/, ''));

function at(value: unknown, pointer: string): unknown {
  let here = value;
  for (const step of pointer.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    here = (here as Record<string, unknown> | undefined)?.[key];
  }
  return here;
}

/** The bound a keyword carries, read from the schema where the validator says it stands. */
function limitOf(root: JsonSchema, unit: OutputUnit): unknown {
  let here: unknown = root;
  for (const step of pointerOf(unit.keywordLocation).split('/').slice(1)) {
    const member = (here as Record<string, unknown> | undefined)?.[step];
    here = step === '$ref' ? at(root, pointerOf(String(member))) : member;
  }
  return here;
}

function describe(schema: JsonSchema, unit: OutputUnit, t: TFunction): FieldError {
  const pointer = pointerOf(unit.instanceLocation);
  const limit = limitOf(schema, unit);
  const name = unit.error.match(/"([^"]+)"/)?.[1] ?? '';
  switch (unit.keyword) {
    case 'required':
    case 'dependentRequired': {
      const missing = [...unit.error.matchAll(/"([^"]+)"/g)].at(-1)?.[1] ?? name;
      return { pointer: child(pointer, missing), message: t('form.error.required') };
    }
    case 'additionalProperties':
      return { pointer: child(pointer, name), message: t('form.error.unknownKey', { name }) };
    case 'type':
      return { pointer, message: t(`form.error.type.${String(limit) as 'string'}`) };
    case 'minimum':
      return { pointer, message: t('form.error.minimum', { limit }) };
    case 'maximum':
      return { pointer, message: t('form.error.maximum', { limit }) };
    case 'exclusiveMinimum':
      return { pointer, message: t('form.error.exclusiveMinimum', { limit }) };
    case 'minLength':
      return {
        pointer,
        message: limit === 1 ? t('form.error.required') : t('form.error.minLength', { limit }),
      };
    case 'maxLength':
      return { pointer, message: t('form.error.maxLength', { limit }) };
    case 'pattern':
      return { pointer, message: t('form.error.pattern', { limit }) };
    case 'format':
      return {
        pointer,
        message:
          limit === 'uri'
            ? t('form.error.uri')
            : limit === 'hostname'
              ? t('form.error.hostname')
              : t('form.error.format', { limit }),
      };
    case 'enum':
    case 'const':
      return { pointer, message: t('form.error.enum') };
    case 'minItems':
      return { pointer, message: t('form.error.minItems', { count: Number(limit) }) };
    case 'maxItems':
      return { pointer, message: t('form.error.maxItems', { count: Number(limit) }) };
    case 'uniqueItems':
      return { pointer, message: t('form.error.uniqueItems') };
    default:
      return { pointer, message: unit.error };
  }
}

/** Rows of an array must differ in the member that `x-key` names. */
function duplicateKeys(
  schema: JsonSchema,
  value: unknown,
  pointer: string,
  t: TFunction,
): FieldError[] {
  if (!schema.properties || typeof value !== 'object' || value === null) return [];
  const found: FieldError[] = [];
  for (const [name, property] of Object.entries(schema.properties)) {
    const rows = (value as Record<string, unknown>)[name];
    const key = property['x-key'];
    if (!key || !Array.isArray(rows)) continue;
    const seen = new Set<unknown>();
    rows.forEach((row: Record<string, unknown>, index) => {
      const id = row?.[key];
      if (id !== undefined && seen.has(id)) {
        found.push({
          pointer: child(child(child(pointer, name), index), key),
          message: t('form.error.duplicate', { value: String(id) }),
        });
      }
      seen.add(id);
    });
  }
  return found;
}

/** Everything that is wrong with `value`, in words for people. Empty: the settings are valid here; the hub has the last word. */
export function validate(
  schema: JsonSchema,
  value: unknown,
  t: TFunction,
  options: ValidateOptions = {},
): FieldError[] {
  const { frame, validator, lists } = validatorsFor(schema);
  const settings = withoutSecrets(schema);
  const shown = withoutHidden(settings, value);
  const errors: FieldError[] = [];
  const take = (root: JsonSchema, units: OutputUnit[], whole: unknown, below: string) => {
    for (const unit of units) {
      if (kContainers.has(unit.keyword)) continue;
      if (options.placeholders && isPlaceholder(at(whole, pointerOf(unit.instanceLocation))))
        continue;
      const { pointer, message } = describe(root, unit, t);
      errors.push({ pointer: below + pointer, message });
    }
  };
  take(frame, validator.validate(shown).errors, shown, '');
  for (const list of lists) {
    const rows = isObject(shown) ? shown[list.name] : undefined;
    if (!Array.isArray(rows)) continue;
    rows.forEach((row, index) => {
      const units = unitsOfRow(list.validator, row);
      if (units.length > 0) take(list.schema, units, row, child(child('', list.name), index));
    });
  }
  const once = new Map<string, FieldError>();
  for (const error of [...errors, ...duplicateKeys(settings, shown, '', t)]) {
    if (!once.has(error.pointer)) once.set(error.pointer, error);
  }
  return [...once.values()];
}
