import { ActionIcon, Button, Text } from '@mantine/core';
import { IconAdjustments, IconCopy, IconPlus, IconTrash } from '@tabler/icons-react';
import { Fragment, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormContext } from '../context';
import { dereference, isShown, shapeOf, withDefaults } from '../resolve';
import classes from '../SchemaForm.module.css';
import { child, isObject, type JsonObject, type JsonSchema } from '../schema';
import { Field } from './Field';
import { FieldFrame } from './FieldFrame';
import { Members } from './Members';
import { type FieldProps, labelOf } from './types';
import { useField } from './use-field';

const kMaxColumns = 6;

/** "speed" → "speed2", "temperature9" → "temperature10": a name that no row has yet. */
export function nextName(name: string, taken: ReadonlySet<unknown>): string {
  const [, stem = name, digits = ''] = name.match(/^(.*?)(\d*)$/) ?? [];
  let number = digits === '' ? 2 : Number(digits) + 1;
  while (taken.has(`${stem}${number}`)) number += 1;
  return `${stem}${number}`;
}

/** The members that become columns; what does not fit stays behind each row's "more". */
function columnsOf(items: JsonSchema, root: JsonSchema) {
  const shape = shapeOf(items, {}, root);
  const simple = shape.properties.filter(
    ([, property]) => !['object', 'array'].includes(property.type ?? 'object'),
  );
  // Members that only some rows have would be columns of dashes.
  const steady = simple.filter(([, property]) => !property['x-showWhen']);
  const ordered = [
    ...steady.filter(([name]) => shape.required.has(name)),
    ...steady.filter(([name]) => !shape.required.has(name)),
  ].slice(0, kMaxColumns);
  const names = new Set(ordered.map(([name]) => name));
  return {
    columns: simple.filter(([name]) => names.has(name)),
    rest: shape.properties.some(([name]) => !names.has(name)),
    names,
  };
}

/** An array of objects as a table: one row an entry, one column a member. */
export function TableField(props: FieldProps) {
  const { t } = useTranslation();
  const { error } = useField(props);
  const form = useFormContext();
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const { schema, value, pointer, onChange } = props;
  const items = dereference(schema.items ?? {}, form.root);
  const rows: JsonObject[] = Array.isArray(value)
    ? value.map((row) => (isObject(row) ? row : {}))
    : [];
  const { columns, rest, names } = columnsOf(items, form.root);
  const key = schema['x-key'];

  const replace = (index: number, row: unknown) =>
    onChange(rows.map((old, place) => (place === index ? row : old)));
  const add = (from?: JsonObject) => {
    const row = from
      ? { ...from }
      : ((withDefaults(items, undefined, form.root) as JsonObject | undefined) ?? {});
    const id = key ? row[key] : undefined;
    if (key && typeof id === 'string')
      row[key] = nextName(id, new Set(rows.map((other) => other[key])));
    onChange([...rows, row]);
  };
  const toggle = (index: number) => {
    const next = new Set(open);
    if (!next.delete(index)) next.add(index);
    setOpen(next);
  };
  const hiddenErrors = (index: number) =>
    [...form.errors.keys()].some((at) => {
      const below = child(pointer, index);
      return (
        at.startsWith(`${below}/`) && !names.has(at.slice(below.length + 1).split('/')[0] ?? '')
      );
    });

  return (
    <FieldFrame {...props} error={error}>
      {rows.length > 0 && (
        <div className={classes.tableScroll}>
          <table className={classes.table}>
            <thead>
              <tr>
                {columns.map(([name, property]) => (
                  <th key={name} scope="col" title={property.description}>
                    {labelOf(name, property)}
                    {property['x-unit'] && (
                      <span className={classes.unit}> {property['x-unit']}</span>
                    )}
                  </th>
                ))}
                <th>
                  <span className={classes.hidden}>{t('form.table.actions')}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row, index) => {
                const shape = shapeOf(items, row, form.root);
                const current = new Map(shape.properties);
                const expanded = open.has(index) || hiddenErrors(index);
                return (
                  // biome-ignore lint/suspicious/noArrayIndexKey: a row's name may be anything while it is typed
                  <Fragment key={index}>
                    <tr>
                      {columns.map(([name, property]) => (
                        <td key={name}>
                          {isShown(current.get(name) ?? property, row) ? (
                            <Field
                              name={name}
                              pointer={child(child(pointer, index), name)}
                              schema={current.get(name) ?? property}
                              value={row[name]}
                              required={shape.required.has(name)}
                              compact
                              onChange={(next) => {
                                const { [name]: _, ...others } = row;
                                replace(
                                  index,
                                  next === undefined ? others : { ...row, [name]: next },
                                );
                              }}
                            />
                          ) : (
                            <Text size="xs" c="dimmed" ta="center">
                              –
                            </Text>
                          )}
                        </td>
                      ))}
                      <td className={classes.rowActions}>
                        {rest && (
                          <ActionIcon
                            variant={expanded ? 'light' : 'subtle'}
                            color="gray"
                            aria-expanded={expanded}
                            aria-label={t('form.table.more', { row: index + 1 })}
                            onClick={() => toggle(index)}
                          >
                            <IconAdjustments size={16} />
                          </ActionIcon>
                        )}
                        <ActionIcon
                          variant="subtle"
                          color="gray"
                          aria-label={t('form.table.duplicate', { row: index + 1 })}
                          onClick={() => add(row)}
                        >
                          <IconCopy size={16} />
                        </ActionIcon>
                        <ActionIcon
                          variant="subtle"
                          color="gray"
                          aria-label={t('form.removeRow', { row: index + 1 })}
                          onClick={() => onChange(rows.filter((_, place) => place !== index))}
                        >
                          <IconTrash size={16} />
                        </ActionIcon>
                      </td>
                    </tr>
                    {rest && expanded && (
                      <tr className={classes.detailRow}>
                        <td colSpan={columns.length + 1}>
                          <Members
                            schema={{
                              ...items,
                              properties: Object.fromEntries(
                                Object.entries(items.properties ?? {}).filter(
                                  ([name]) => !names.has(name),
                                ),
                              ),
                            }}
                            pointer={child(pointer, index)}
                            value={row}
                            onChange={(next) => replace(index, next)}
                          />
                        </td>
                      </tr>
                    )}
                  </Fragment>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
      <Button
        variant="default"
        size="compact-sm"
        leftSection={<IconPlus size={14} />}
        onClick={() => add()}
      >
        {t('form.table.add')}
      </Button>
    </FieldFrame>
  );
}
