import { Button, Group, Text, TextInput } from '@mantine/core';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { JsonObject } from '@/shared/form';
import { FormProvider, useFormContext } from '@/shared/form/context';
import { Members } from '@/shared/form/fields/Members';
import { parseNumber } from '@/shared/form/fields/NumberField';
import { formatCount } from '@/shared/format';
import { Message, ui } from '@/shared/ui';
import { Dialog } from '@/shared/ui/Dialog';
import classes from './points.module.css';
import { generate, isFault, type RangeFault } from './range';
import { cellText, columnsOf, type PointSchema } from './rows';

const kShown = 4;

function useFaultText(limit: number): (fault: RangeFault) => string {
  const { t } = useTranslation();
  return (fault) =>
    fault.fault === 'bad'
      ? t('points.badRange', { range: fault.range })
      : fault.fault === 'tooMany'
        ? t('points.rangeTooMany', { limit: formatCount(limit) })
        : t('points.uneven', { ...fault });
}

function Preview({ made, point }: { made: JsonObject[]; point: PointSchema }) {
  const { t } = useTranslation();
  const columns = columnsOf(point, made).filter(({ name }) => made[0]?.[name] !== undefined);
  const shown = made.map((row, index) => ({ row, index }));
  const seen =
    shown.length <= 2 * kShown ? shown : [...shown.slice(0, kShown), ...shown.slice(-kShown)];
  return (
    <section aria-label={t('points.preview')}>
      <Text size="sm" role="status" mb={4}>
        {t('points.previewOf', { count: made.length })}
      </Text>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <section className={classes.changes} tabIndex={0} aria-label={t('points.grid')}>
        <table className={ui.table}>
          <thead>
            <tr>
              {columns.map(({ name, label }) => (
                <th key={name} scope="col">
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {seen.map(({ row, index }) => (
              <tr key={index}>
                {columns.map(({ name, schema }) => (
                  <td key={name}>
                    {schema['x-enumTitles']?.[String(row[name])] ?? cellText(row[name])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}

interface RangeDialogProps {
  point: PointSchema;
  limit: number;
  onAdd: (rows: JsonObject[]) => void;
  onClose: () => void;
}

/** Many points from one: names from a range, addresses that count along. Seen before they are added. */
export function RangeDialog({ point, limit, onAdd, onClose }: RangeDialogProps) {
  const { t } = useTranslation();
  const form = useFormContext();
  const faultText = useFaultText(limit);
  const { items, key } = point;
  const [pattern, setPattern] = useState<JsonObject>({ [key]: 'Motor[1..40].Speed' });
  const [steps, setSteps] = useState<Record<string, string>>({});
  const change = (next: unknown) => setPattern(next as JsonObject);
  const isNeeded = (name: string) => (items.required ?? []).includes(name);
  const counting = columnsOf(point, [pattern]).filter(
    ({ name, schema }) =>
      (schema.type === 'integer' || schema.type === 'number') && pattern[name] !== undefined,
  );
  const stepOf = (name: string): string => steps[name] ?? (isNeeded(name) ? '1' : '0');
  const made = useMemo(() => {
    const chosen = Object.fromEntries(
      Object.entries(pattern).flatMap(([name, value]) => {
        const step = parseNumber(steps[name] ?? (items.required?.includes(name) ? '1' : '0'));
        return typeof value === 'number' && typeof step === 'number' ? [[name, step]] : [];
      }),
    );
    return generate(pattern, chosen, key, limit);
  }, [items, pattern, steps, key, limit]);
  return (
    <Dialog size="xl" onClose={onClose} title={t('points.rangeTitle')}>
      <div className={classes.dialog}>
        <Text size="sm">{t('points.rangeText')}</Text>
        <FormProvider value={{ ...form, errors: new Map(), idPrefix: 'range' }}>
          <Members
            schema={items}
            pointer=""
            value={pattern}
            onChange={change}
            only={(_, name) => isNeeded(name)}
            autoFocus
          />
          <details className={classes.details}>
            <summary>{t('points.rangeMore')}</summary>
            <Members
              schema={items}
              pointer=""
              value={pattern}
              onChange={change}
              only={(_, name) => !isNeeded(name)}
            />
          </details>
        </FormProvider>
        <div className={classes.steps}>
          {counting.map(({ name, label }) => (
            <TextInput
              key={name}
              size="xs"
              label={t('points.rangeStep', { name: label })}
              inputMode="decimal"
              value={stepOf(name)}
              onChange={(event) => {
                const text = event.currentTarget.value;
                setSteps((old) => ({ ...old, [name]: text }));
              }}
            />
          ))}
        </div>
        {isFault(made) ? (
          <Message tone="bad" alert>
            {faultText(made)}
          </Message>
        ) : (
          <Preview made={made} point={point} />
        )}
        <Group gap="xs" justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button
            disabled={isFault(made)}
            onClick={() => {
              if (isFault(made)) return;
              onAdd(made);
              onClose();
            }}
          >
            {t('points.rangeAdd', { count: isFault(made) ? 0 : made.length })}
          </Button>
        </Group>
      </div>
    </Dialog>
  );
}
