import { Button, Checkbox, CloseButton, Group, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useConnections } from '@/shared/data/connections';
import { FieldFrame, type FieldProps, useField } from '@/shared/form';
import type { WidgetFor } from '@/shared/form/context';
import classes from '../health.module.css';

const kMatches = 8;

const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];

/** Some of a few choices: one box each. */
function ChecksField(props: FieldProps) {
  const { error } = useField(props);
  const { schema, value, onChange } = props;
  const chosen = textsOf(value);
  const options = textsOf(schema.items?.enum);
  return (
    <FieldFrame {...props} error={error}>
      <Group gap="md">
        {options.map((option) => (
          <Checkbox
            key={option}
            size="xs"
            label={schema.items?.['x-enumTitles']?.[option] ?? option}
            checked={chosen.includes(option)}
            onChange={(event) => {
              const { checked } = event.currentTarget;
              // In the order of the choices, whichever was taken first.
              const next = options.filter((one) =>
                one === option ? checked : chosen.includes(one),
              );
              onChange(next.length > 0 ? next : undefined);
            }}
          />
        ))}
      </Group>
    </FieldFrame>
  );
}

/** Some of the connections there are, found by name. */
function ConnectionsField(props: FieldProps) {
  const { t } = useTranslation();
  const { error } = useField(props);
  const { data = [] } = useConnections();
  const [search, setSearch] = useState('');
  const chosen = textsOf(props.value);
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = data.filter(
    ({ id, name }) =>
      !chosen.includes(id) && words.every((word) => name.toLowerCase().includes(word)),
  );
  const change = (next: string[]) => props.onChange(next.length > 0 ? next : undefined);
  return (
    <FieldFrame {...props} error={error}>
      <div className={classes.column}>
        {chosen.length > 0 && (
          <div className={classes.controls}>
            {chosen.map((id) => {
              const name = data.find((one) => one.id === id)?.name ?? id;
              return (
                <span key={id} className={classes.chip}>
                  {name}
                  <CloseButton
                    size="xs"
                    aria-label={t('health.form.drop', { name })}
                    onClick={() => change(chosen.filter((one) => one !== id))}
                  />
                </span>
              );
            })}
          </div>
        )}
        <TextInput
          size="xs"
          aria-label={t('health.form.findConnection')}
          placeholder={t('health.form.findConnection')}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
        {matches.length > 0 && (
          <div className={classes.controls}>
            {matches.slice(0, kMatches).map(({ id, name }) => (
              <Button
                key={id}
                size="compact-xs"
                variant="default"
                aria-label={t('health.form.add', { name })}
                onClick={() => {
                  change([...chosen, id]);
                  setSearch('');
                }}
              >
                + {name}
              </Button>
            ))}
            {matches.length > kMatches && (
              <span className={classes.small}>
                {t('health.form.moreMatches', { count: matches.length - kMatches })}
              </span>
            )}
          </div>
        )}
      </div>
    </FieldFrame>
  );
}

/** A time of the day, or a day and a time, on a clock on the wall. */
function ClockField(props: FieldProps) {
  const { input } = useField(props);
  const { schema, value, onChange } = props;
  return (
    <TextInput
      {...input}
      type={schema['x-widget'] === 'clock' ? 'time' : 'datetime-local'}
      value={typeof value === 'string' ? value : ''}
      onChange={(event) => onChange(event.currentTarget.value || undefined)}
    />
  );
}

/** The widgets that plans and notices need besides those of every form. */
export const widgetFor: WidgetFor = (schema) => {
  switch (schema['x-widget']) {
    case 'checks':
      return ChecksField;
    case 'connections':
      return ConnectionsField;
    case 'clock':
    case 'dateTime':
      return ClockField;
    default:
      return undefined;
  }
};
