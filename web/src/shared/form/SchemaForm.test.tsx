import { fireEvent, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import { i18n } from '@/shared/i18n';
import { connectorSchemas } from '@/shared/testing/connectors';
import { renderUi } from '@/shared/testing/render';
import type { SecretState } from './context';
import {
  dereference,
  isShown,
  secretNames,
  shapeOf,
  withDefaults,
  withoutSecrets,
} from './resolve';
import { SchemaForm } from './SchemaForm';
import { isObject, type JsonObject, type JsonSchema } from './schema';
import { type SchemaFormState, useSchemaForm } from './use-schema-form';
import { validate } from './validate';

let form: SchemaFormState;

interface HarnessProps {
  schema: JsonSchema;
  initial?: unknown;
  storedSecrets?: Record<string, SecretState>;
  placeholders?: boolean;
}

function Harness(props: HarnessProps) {
  form = useSchemaForm(props);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        form.check();
      }}
    >
      <SchemaForm form={form} idPrefix="t" />
      <button type="submit">check</button>
    </form>
  );
}

const show = (props: HarnessProps) => renderUi(<Harness {...props} />);
const press = () => fireEvent.click(screen.getByText('check'));

/** A value that the schema allows, made of its examples, defaults and bounds. */
function example(given: JsonSchema, root: JsonSchema): unknown {
  const schema = dereference(given, root);
  if (
    schema.default !== undefined &&
    !(Array.isArray(schema.default) && schema.default.length === 0)
  )
    return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.examples?.[0] !== undefined) return schema.examples[0];
  switch (schema.type) {
    case 'object': {
      const value: JsonObject = {};
      for (const name of shapeOf(schema, value, root).required) {
        const property = schema.properties?.[name];
        if (property) value[name] = example(property, root);
      }
      return withDefaults(schema, value, root);
    }
    case 'array':
      return (schema.minItems ?? 0) > 0 ? [example(schema.items ?? {}, root)] : [];
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return false;
    default:
      return 'x'.repeat(Math.max(3, schema.minLength ?? 0));
  }
}

describe.each(connectorSchemas())('the form of $name', ({ schema, isFunction }) => {
  const initial = () => example(withoutSecrets(schema), schema);

  it('shows every member that its example lets show, and takes the example as valid', () => {
    show({ schema, initial: initial(), placeholders: isFunction });
    document.querySelectorAll('details').forEach((one) => {
      one.open = true;
    });
    for (const [name, property] of shapeOf(schema, form.value, schema).properties) {
      if (!isShown(property, form.value)) continue;
      const pointer = property['x-secret'] ? `/secrets/${name}` : `/${name}`;
      const id = `t${pointer.replaceAll('/', '-')}`;
      const shown =
        document.querySelector(`[data-pointer="${pointer}"]`) ?? document.getElementById(id);
      expect(shown, name).not.toBeNull();
    }
    expect(validate(schema, form.value, i18n.t)).toEqual([]);
    expect(isObject(form.result())).toBe(true);
  });

  it('names the required members that are missing', () => {
    const required = (schema.required ?? []).filter((name) => !secretNames(schema).includes(name));
    const pointers = validate(schema, {}, i18n.t).map((error) => error.pointer);
    for (const name of required) expect(pointers).toContain(`/${name}`);
  });
});

describe('a schema form', () => {
  const schema: JsonSchema = {
    type: 'object',
    required: ['host'],
    'x-groups': [
      { id: 'a', title: 'Where' },
      { id: 'b', title: 'Advanced', collapsed: true },
    ],
    properties: {
      host: { type: 'string', title: 'Host', minLength: 1 },
      port: { type: 'integer', title: 'Port', minimum: 1, maximum: 65535, default: 502 },
      login: {
        type: 'string',
        title: 'Login',
        enum: ['none', 'user'],
        default: 'none',
        'x-enumTitles': { none: 'Nobody', user: 'A user' },
      },
      username: {
        type: 'string',
        title: 'User',
        'x-showWhen': { property: 'login', in: ['user'] },
      },
      password: { type: 'string', title: 'Password', 'x-secret': true },
      timeoutMs: {
        type: 'integer',
        title: 'Timeout',
        default: 2000,
        minimum: 50,
        'x-unit': 'ms',
        'x-group': 'b',
      },
    },
  };

  it('starts with the defaults and shows units and titles of choices', () => {
    show({ schema });
    expect(form.result()).toEqual({ port: 502, login: 'none', timeoutMs: 2000 });
    expect(screen.getByText('ms')).toBeInTheDocument();
    expect(screen.getByRole('option', { name: 'Nobody' })).toBeInTheDocument();
  });

  it('says nothing until it is checked, then says what is wrong at the field', () => {
    show({ schema });
    const host = screen.getByLabelText(/^Host/);
    expect(host).not.toHaveAttribute('aria-invalid', 'true');
    press();
    expect(host).toHaveAttribute('aria-invalid', 'true');
    expect(screen.getByText('Fill this in.')).toBeInTheDocument();
  });

  it('keeps the limits of the schema and words them for people', async () => {
    show({ schema, initial: { host: 'plc' } });
    const port = screen.getByLabelText(/^Port/);
    await userEvent.clear(port);
    await userEvent.type(port, '70000');
    press();
    expect(screen.getByText('The most is 65535.')).toBeInTheDocument();
    await userEvent.clear(port);
    await userEvent.type(port, 'five');
    expect(screen.getByText('Enter a whole number.')).toBeInTheDocument();
    expect(form.value.port).toBe('five');
  });

  it('shows a member only when its condition holds, and sends none that is hidden', async () => {
    show({ schema, initial: { host: 'plc', login: 'user', username: 'op' } });
    expect(screen.getByLabelText('User')).toHaveValue('op');
    await userEvent.selectOptions(screen.getByLabelText('Login'), 'Nobody');
    expect(screen.queryByLabelText('User')).toBeNull();
    expect(form.result()).not.toHaveProperty('username');
  });

  it('opens a collapsed group that holds an error', async () => {
    show({ schema, initial: { host: 'plc', timeoutMs: 1 } });
    expect(document.querySelector('details')).not.toHaveAttribute('open');
    press();
    expect(document.querySelector('details')).toHaveAttribute('open');
  });

  it('puts the errors of the hub at their fields and hands back the others', async () => {
    show({ schema, initial: { host: 'plc' } });
    const others = form.takeServerErrors([
      { pointer: '/settings/host', message: 'No such host.' },
      { pointer: '/secrets/password', message: 'Too short.' },
      { pointer: '/name', message: 'Taken.' },
    ]);
    expect(others).toEqual([{ pointer: '/name', message: 'Taken.' }]);
    expect(await screen.findByText('No such host.')).toBeInTheDocument();
    expect(screen.getByText('Too short.')).toBeInTheDocument();
    await userEvent.type(screen.getByLabelText(/^Host/), '2');
    expect(screen.queryByText('No such host.')).toBeNull();
  });

  it('never has the text of a stored secret: it can be kept, replaced or removed', async () => {
    show({ schema, initial: { host: 'plc' }, storedSecrets: { password: { set: true } } });
    expect(screen.getByText('Set')).toBeInTheDocument();
    expect(form.secrets).toEqual({});
    await userEvent.click(screen.getByRole('button', { name: 'Replace' }));
    await userEvent.type(screen.getByLabelText('Password'), 'geheim');
    expect(form.secrets).toEqual({ password: 'geheim' });
    expect(form.result()).not.toHaveProperty('password');
  });

  it('removes a secret only when told to', async () => {
    show({ schema, initial: { host: 'plc' }, storedSecrets: { password: { set: true } } });
    await userEvent.click(screen.getByRole('button', { name: 'Remove' }));
    expect(form.secrets).toEqual({ password: null });
    await userEvent.click(screen.getByRole('button', { name: 'Keep it after all' }));
    expect(form.secrets).toEqual({});
  });
});

describe('a table of points', () => {
  const schema: JsonSchema = {
    type: 'object',
    required: ['points'],
    properties: {
      points: {
        type: 'array',
        title: 'Points',
        minItems: 1,
        'x-key': 'name',
        'x-widget': 'points',
        items: {
          type: 'object',
          required: ['name', 'address'],
          properties: {
            name: { type: 'string', title: 'Name', minLength: 1 },
            address: { type: 'integer', title: 'Address', minimum: 0 },
            dataType: {
              type: 'string',
              title: 'Data type',
              enum: ['uint16', 'string'],
              default: 'uint16',
            },
            length: {
              type: 'integer',
              title: 'Length',
              default: 8,
              'x-showWhen': { property: 'dataType', in: ['string'] },
            },
          },
        },
      },
    },
  };

  it('adds rows with defaults, duplicates them under a new name and removes them', async () => {
    show({ schema });
    await userEvent.click(screen.getByRole('button', { name: 'Add row' }));
    expect(form.value.points).toEqual([{ dataType: 'uint16', length: 8 }]);
    await userEvent.type(screen.getByLabelText('Name'), 'speed');
    await userEvent.type(screen.getByLabelText('Address'), '4');
    await userEvent.click(screen.getByRole('button', { name: 'Duplicate row 1' }));
    expect(form.result().points).toEqual([
      { name: 'speed', address: 4, dataType: 'uint16' },
      { name: 'speed2', address: 4, dataType: 'uint16' },
    ]);
    await userEvent.click(screen.getByRole('button', { name: 'Remove row 1' }));
    expect(form.value.points).toHaveLength(1);
  });

  it('marks the cell that is wrong', () => {
    show({
      schema,
      initial: {
        points: [
          { name: 'a', address: -1 },
          { name: 'a', address: 2 },
        ],
      },
    });
    press();
    const rows = screen.getAllByRole('row').slice(1);
    expect(within(rows[0] as HTMLElement).getByText('The least is 0.')).toBeInTheDocument();
    expect(
      within(rows[1] as HTMLElement).getByText('“a” is used by another row.'),
    ).toBeInTheDocument();
  });

  it('lets a placeholder stand for a number, but only where callers fill it in', () => {
    const value = { points: [{ name: 'a', address: '((start))' }] };
    expect(validate(schema, value, i18n.t, { placeholders: true })).toEqual([]);
    expect(validate(schema, value, i18n.t)).toEqual([
      { pointer: '/points/0/address', message: 'Enter a whole number.' },
    ]);
  });

  it('keeps what only some rows have behind "more"', async () => {
    show({ schema, initial: { points: [{ name: 'recipe', address: 4, dataType: 'string' }] } });
    expect(screen.queryByLabelText('Length')).toBeNull();
    await userEvent.click(screen.getByRole('button', { name: 'More settings of row 1' }));
    expect(screen.getByLabelText('Length')).toHaveAttribute('placeholder', 'Default: 8');
  });
});
