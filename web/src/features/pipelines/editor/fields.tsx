import { ActionIcon, Button, NativeSelect, PasswordInput, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError, api, ask } from '@/shared/api';
import {
  FieldFrame,
  type FieldProps,
  isObject,
  same,
  useField,
  type WidgetFor,
} from '@/shared/form';
import { formatValue } from '@/shared/format';
import { type NamedFunction, useAllFunctions, usePipelines } from '../data';
import { placeInText } from '../graph/findings';
import { ancestors, nameOf } from '../graph/model';
import { inputOf, outputOf, previewOf, previewRequest } from '../graph/samples';
import { useEditor } from './context';
import classes from './editor.module.css';

const CodeEditor = lazy(() => import('./CodeEditor'));

function useScope(script: boolean) {
  const { doc, node, samples } = useEditor();
  if (!node) return { input: undefined, nodes: [], script };
  const before = ancestors(doc, node.id);
  before.delete(node.id);
  return {
    input: inputOf(doc, node.id, samples),
    nodes: doc.nodes
      .filter((one) => before.has(one.id))
      .map((one) => ({
        id: one.id,
        name: nameOf(one),
        output: Object.values(outputOf(doc, one.id, samples) ?? {})[0]?.[0],
      })),
    script,
  };
}

/** What an expression gives for the sample record, as one types. */
function Result({ text }: { text: string }) {
  const { t } = useTranslation();
  const { doc, node, samples } = useEditor();
  const [settled] = useDebouncedValue(text, 400);
  const request = node ? previewRequest(doc, node.id, settled, samples) : null;
  const { data, error } = useQuery({
    queryKey: ['pipelines', 'preview', JSON.stringify(request)],
    queryFn: async () => previewOf(await ask(api.POST('/pipelines/test', { body: request ?? {} }))),
    enabled: request !== null && settled.includes('{{'),
    retry: false,
    staleTime: 60_000,
    gcTime: 60_000,
  });
  const wrong =
    data?.error ?? (error instanceof ApiError ? (error.fields[0]?.message ?? error.message) : null);
  if (!text.includes('{{')) return null;
  if (wrong)
    return (
      <Text size="xs" c="var(--tone-bad)" className={classes.result} role="status">
        {wrong}
      </Text>
    );
  if (!data) return null;
  const said = !data.reached
    ? t('panel.noSample')
    : data.value === undefined
      ? t('panel.undefinedResult')
      : t('panel.result', { value: formatValue(data.value) });
  return (
    <Text size="xs" className={classes.result} role="status">
      {said}
    </Text>
  );
}

interface ExpressionProps {
  label: string;
  pointer: string;
  text: string;
  onChange: (text: string) => void;
  placeholder?: string | undefined;
  error?: string | undefined;
}

/** One expression with completion; its result is shown once somebody is at it. */
function Expression({ label, pointer, text, onChange, placeholder, error }: ExpressionProps) {
  const [active, setActive] = useState(false);
  const scope = useScope(false);
  const spot = error ? placeInText(error) : null;
  return (
    <div className={classes.expression} data-invalid={error !== undefined}>
      <Suspense
        // Not to be typed into: what has the focus would go when the editor comes.
        fallback={
          <TextInput disabled aria-label={label} value={text} placeholder={placeholder} readOnly />
        }
      >
        <CodeEditor
          value={text}
          onChange={onChange}
          label={label}
          pointer={pointer}
          scope={scope}
          marks={spot && error ? [{ ...spot, message: error }] : []}
          placeholder={placeholder}
          onFocus={() => setActive(true)}
        />
      </Suspense>
      {active && !error && <Result text={text} />}
    </div>
  );
}

function ExpressionField(props: FieldProps) {
  const { label, error, placeholder } = useField(props);
  const { value, onChange, pointer } = props;
  const text = typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
  return (
    <FieldFrame {...props} error={error}>
      <Expression
        label={label}
        pointer={pointer}
        text={text}
        placeholder={placeholder}
        error={error}
        onChange={(next) => onChange(next === '' ? undefined : next)}
      />
    </FieldFrame>
  );
}

function ScriptField(props: FieldProps) {
  const { label, error } = useField(props);
  const { value, onChange, pointer } = props;
  const { node, samples } = useEditor();
  const scope = useScope(true);
  const failed = samples.result?.nodes.find((one) => one.nodeId === node?.id)?.errors[0]?.message;
  const messages = [error, failed].filter((one) => one !== undefined);
  const marks = messages.flatMap((message) => {
    const spot = placeInText(message);
    return spot ? [{ ...spot, message }] : [];
  });
  return (
    <FieldFrame {...props} error={error ?? failed}>
      <Suspense fallback={null}>
        <CodeEditor
          value={typeof value === 'string' ? value : ''}
          onChange={(next) => onChange(next === '' ? undefined : next)}
          label={label}
          pointer={pointer}
          scope={scope}
          marks={marks}
        />
      </Suspense>
    </FieldFrame>
  );
}

type Row = [name: string, value: unknown];

const asText = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);

/** A number, true, false, null or JSON is taken as such; anything else is text. */
export function asValue(text: string): unknown {
  if (!/^\s*(-?\d|true$|false$|null$|\{(?!\{)|\[)/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const named = (rows: Row[]): Record<string, unknown> =>
  Object.fromEntries(rows.filter(([name]) => name !== ''));

/** Names with literals or expressions: fields, parameters, tags. */
function ExpressionMapField(props: FieldProps) {
  const { t } = useTranslation();
  const { error, form } = useField(props);
  const { value, onChange, pointer } = props;
  const given = isObject(value) ? value : {};
  const [rows, setRows] = useState<Row[]>(() => Object.entries(given));
  // What comes from elsewhere (undo) wins; rows without a name are only known here.
  const shown = same(named(rows), given) ? rows : Object.entries(given);
  const update = (next: Row[]) => {
    setRows(next);
    const object = named(next);
    onChange(Object.keys(object).length === 0 ? undefined : object);
  };
  const set = (place: number, row: Row) =>
    update(shown.map((old, at) => (at === place ? row : old)));
  return (
    <FieldFrame {...props} error={error}>
      {shown.map(([name, member], place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row has no other identity while its name is typed
        <div key={place} className={classes.mapRow}>
          <TextInput
            size="xs"
            aria-label={t('panel.rowName', { row: place + 1 })}
            value={name}
            spellCheck={false}
            onChange={(event) => set(place, [event.currentTarget.value, member])}
          />
          <div>
            <Expression
              label={t('panel.value', { name: name || String(place + 1) })}
              pointer={`${pointer}/${name}`}
              text={asText(member)}
              error={form.errors.get(`${pointer}/${name}`)}
              onChange={(text) => set(place, [name, asValue(text)])}
            />
            {form.errors.has(`${pointer}/${name}`) && (
              <Text size="xs" c="var(--mantine-color-error)" role="alert">
                {form.errors.get(`${pointer}/${name}`)}
              </Text>
            )}
          </div>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={t('panel.removeRow', { name: name || String(place + 1) })}
            onClick={() => update(shown.filter((_, at) => at !== place))}
          >
            <IconTrash size={16} />
          </ActionIcon>
        </div>
      ))}
      <Button
        size="compact-xs"
        variant="default"
        leftSection={<IconPlus size={14} />}
        onClick={() => setRows([...shown, ['', '']])}
      >
        {t('panel.addRow')}
      </Button>
    </FieldFrame>
  );
}

const kinds: Record<string, NamedFunction['kind'][]> = {
  'trigger.function': ['subscribe'],
  'trigger.poll': ['read'],
  enrich: ['read'],
  function: ['write', 'command', 'read'],
};

function FunctionField(props: FieldProps) {
  const { t } = useTranslation();
  const { input } = useField(props);
  const { node } = useEditor();
  const { value, onChange } = props;
  const { data = [] } = useAllFunctions();
  const wanted = kinds[node?.type ?? ''];
  const fitting = data.filter((one) => !wanted || wanted.includes(one.kind));
  const chosen = typeof value === 'string' ? value : '';
  const known = data.find((one) => one.id === chosen);
  return (
    <NativeSelect
      {...input}
      description={
        known && known.parameters.length > 0
          ? known.parameters.map((name) => `((${name}))`).join(' ')
          : props.schema.description
      }
      value={chosen}
      data={[
        { value: '', label: t('panel.chooseFunction') },
        ...(chosen && !fitting.some((one) => one.id === chosen)
          ? [
              {
                value: chosen,
                label: known?.name ?? t('panel.functionGone', { id: chosen }),
              },
            ]
          : []),
        ...fitting.map((one) => ({ value: one.id, label: `${one.connection}/${one.name}` })),
      ]}
      onChange={(event) => onChange(event.currentTarget.value || undefined)}
    />
  );
}

function PipelineField(props: FieldProps) {
  const { t } = useTranslation();
  const { input } = useField(props);
  const { data = [] } = usePipelines();
  return (
    <NativeSelect
      {...input}
      value={typeof props.value === 'string' ? props.value : ''}
      data={[
        { value: '', label: t('panel.choosePipeline') },
        ...data.map(({ id, name }) => ({ value: id, label: name })),
      ]}
      onChange={(event) => props.onChange(event.currentTarget.value || undefined)}
    />
  );
}

/** The secret of a webhook: what is stored never comes back, only that it is set. */
function HookSecretField(props: FieldProps) {
  const { t } = useTranslation();
  const { input } = useField(props);
  const { value, onChange } = props;
  return (
    <PasswordInput
      {...input}
      autoComplete="off"
      placeholder={isObject(value) ? t('panel.secretSet') : undefined}
      value={typeof value === 'string' ? value : ''}
      onChange={(event) => onChange(event.currentTarget.value || undefined)}
    />
  );
}

/** The widgets that only the editor of pipelines has: what they edit is said by the schema alone. */
export const widgetFor: WidgetFor = (schema, pointer) => {
  const widget = schema['x-widget'];
  if (widget === 'function') return FunctionField;
  if (widget === 'pipeline') return PipelineField;
  if (widget === 'code') return ScriptField;
  if (schema.type === undefined && pointer === '/secret') return HookSecretField;
  const hint = `${schema.description ?? ''} ${schema['x-placeholder'] ?? ''}`;
  const open = schema.type === 'object' && !schema.properties;
  if (open && (widget === 'map' || widget === 'json')) return ExpressionMapField;
  if (schema.type === 'string' && !schema.enum && hint.includes('{{')) return ExpressionField;
  return undefined;
};
