import { Button, Text, TextInput } from '@mantine/core';
import { IconAlertTriangle, IconSearch, IconTable } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { BrowsedNode } from '@/shared/browse';
import { FieldFrame, type FieldProps, type JsonObject } from '@/shared/form';
import { FormProvider, useFormContext } from '@/shared/form/context';
import { Members } from '@/shared/form/fields/Members';
import { child } from '@/shared/form/schema';
import { formatCount } from '@/shared/format';
import { EmptyState } from '@/shared/ui';
import { BrowsePanel } from './BrowsePanel';
import { fromNodes } from './from-nodes';
import { ImportDialog } from './ImportDialog';
import { PointGrid, type Problems } from './PointGrid';
import classes from './points.module.css';
import { RangeDialog } from './RangeDialog';
import { columnsOf, type PointSchema, pointSchemaOf, rowsOf } from './rows';
import { TableTools } from './TableTools';
import { type Dropping, useDrop } from './use-drop';
import { useTable } from './use-table';

type Layer = 'range' | 'import' | 'browse';

/** What is wrong, by row and member; messages of a whole row stand at its key. */
function problemsOf(all: ReadonlyMap<string, string>, pointer: string, key: string): Problems {
  const found = new Map<number, Map<string, string>>();
  for (const [at, message] of all) {
    if (!at.startsWith(`${pointer}/`)) continue;
    const [row = '', member = key] = at.slice(pointer.length + 1).split('/');
    const index = Number(row);
    const here = found.get(index) ?? new Map<string, string>();
    here.set(member, message);
    found.set(index, here);
  }
  return found;
}

/** The first example of every member that must be there. */
function sampleRow({ items }: PointSchema): JsonObject {
  const sample: JsonObject = {};
  for (const name of items.required ?? []) {
    const { examples, enum: choices, minimum, default: given } = items.properties?.[name] ?? {};
    sample[name] = examples?.[0] ?? given ?? choices?.[0] ?? minimum ?? name;
  }
  return sample;
}

interface DetailsProps {
  point: PointSchema;
  pointer: string;
  row: JsonObject;
  onChange: (row: JsonObject) => void;
}

/** Every setting of the point at the cursor, with its help: also those that have no column. */
function Details({ point, pointer, row, onChange }: DetailsProps) {
  const form = useFormContext();
  return (
    <FormProvider value={{ ...form, errors: form.problems }}>
      <Members
        schema={point.items}
        pointer={pointer}
        value={row}
        onChange={(next) => onChange(next as JsonObject)}
      />
    </FormProvider>
  );
}

interface NoPointsProps {
  dropping: Dropping | null;
  onPaste: (text: string) => void;
  onSample: () => void;
}

/** In place of the grid: what can be done to have points. */
function NoPoints({ dropping, onPaste, onSample }: NoPointsProps) {
  const { t } = useTranslation();
  const { place, handlers } = useDrop(dropping, () => 0);
  return (
    <section
      className={classes.empty}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what is pasted goes to what has the focus
      tabIndex={0}
      aria-label={t('points.empty')}
      data-drop={place !== null}
      onPaste={(event) => onPaste(event.clipboardData.getData('text/plain'))}
      {...handlers}
    >
      <EmptyState
        icon={<IconTable size={32} stroke={1.2} aria-hidden />}
        title={
          place === null ? t('points.empty') : t('points.dropHere', { count: dropping?.count ?? 0 })
        }
        text={t('points.emptyText')}
        action={
          <Button variant="light" size="compact-sm" onClick={onSample}>
            {t('points.emptySample')}
          </Button>
        }
      />
    </section>
  );
}

/** The list of points of a function: the widget of the schema's `points`, in place of the form's plain table. */
export function PointTable(props: FieldProps) {
  const { t } = useTranslation();
  const form = useFormContext();
  const { schema, value, pointer, onChange } = props;
  const limit = schema.maxItems ?? 10_000;
  const point = useMemo(() => pointSchemaOf(schema, form.root), [schema, form.root]);
  const rows = useMemo(() => rowsOf(value), [value]);
  const columns = useMemo(() => columnsOf(point, rows), [point, rows]);
  const problems = useMemo(
    () => problemsOf(form.problems, pointer, point.key),
    [form.problems, pointer, point.key],
  );
  const table = useTable({ point, rows, columns, limit, onChange });
  const { filter, setFilter, shown, cursor, setCursor, chosen, current, commands, append, insert } =
    table;
  const [layer, setLayer] = useState<Layer | null>(null);
  const [dragged, setDragged] = useState<readonly BrowsedNode[]>([]);
  const dropping: Dropping | null =
    dragged.length === 0
      ? null
      : {
          count: dragged.length,
          onDrop: (place) => insert(shown[place] ?? rows.length, fromNodes(dragged, point, rows)),
        };
  const nextProblem = () => {
    const bad = [...problems.keys()].sort((a, b) => a - b);
    const next = bad.find((index) => index > (current ?? -1)) ?? bad[0];
    if (next === undefined) return;
    const member = [...(problems.get(next)?.keys() ?? [])][0];
    const column = Math.max(
      0,
      columns.findIndex(({ name }) => name === member),
    );
    setFilter('');
    setCursor({ row: next, column, anchor: next });
    requestAnimationFrame(() =>
      document.querySelector<HTMLElement>(`[data-pointer="${pointer}"] [role="grid"]`)?.focus(),
    );
  };

  return (
    <FieldFrame {...props} error={form.errors.get(pointer)}>
      <TableTools
        commands={commands}
        empty={rows.length === 0}
        chosen={chosen.length}
        rows={rows}
        onOpen={setLayer}
      />
      <div className={layer === 'browse' ? classes.beside : undefined}>
        {layer === 'browse' && (
          <BrowsePanel
            onAdd={(nodes) => append(fromNodes(nodes, point, rows))}
            onDrag={setDragged}
            onClose={() => {
              setDragged([]);
              setLayer(null);
            }}
          />
        )}
        <div className={classes.table}>
          {rows.length === 0 ? (
            <NoPoints
              dropping={dropping}
              onPaste={commands.paste}
              onSample={() => append([sampleRow(point)])}
            />
          ) : (
            <>
              <div className={classes.bar}>
                <TextInput
                  size="xs"
                  className={classes.filter}
                  aria-label={t('points.filter')}
                  placeholder={t('points.filter')}
                  leftSection={<IconSearch size={13} />}
                  value={filter}
                  onChange={(event) => setFilter(event.currentTarget.value)}
                  onKeyDown={(event) => {
                    if (event.key === 'Enter') event.preventDefault();
                  }}
                />
                <output className={classes.count}>
                  {shown.length === rows.length
                    ? t('points.count', { count: rows.length })
                    : t('points.shown', {
                        shown: formatCount(shown.length),
                        total: formatCount(rows.length),
                      })}
                  {chosen.length > 1 && ` · ${t('points.chosen', { count: chosen.length })}`}
                </output>
                {problems.size > 0 && (
                  <Button
                    size="compact-xs"
                    variant="light"
                    color="red"
                    leftSection={<IconAlertTriangle size={13} />}
                    onClick={nextProblem}
                  >
                    {t('points.problems', { count: problems.size })}
                  </Button>
                )}
              </div>
              <PointGrid
                label={t('points.grid')}
                point={point}
                rows={rows}
                shown={shown}
                columns={columns}
                problems={problems}
                cursor={cursor}
                onCursor={setCursor}
                commands={commands}
                dropping={dropping}
              />
              <Text size="xs" c="dimmed" mt={4}>
                {t('points.help')}
              </Text>
              {current !== undefined && (
                <details className={classes.details} open={rows.length < 20 || undefined}>
                  <summary>{t('points.detailsOf', { row: current + 1 })}</summary>
                  <Details
                    key={current}
                    point={point}
                    pointer={child(pointer, current)}
                    row={rows[current] ?? {}}
                    onChange={(row) => table.replace(current, row, `row ${current}`)}
                  />
                </details>
              )}
            </>
          )}
        </div>
      </div>
      {layer === 'range' && (
        <RangeDialog point={point} limit={limit} onAdd={append} onClose={() => setLayer(null)} />
      )}
      {layer === 'import' && (
        <ImportDialog
          member={pointer.slice(1)}
          point={point}
          rows={rows}
          onClose={() => setLayer(null)}
        />
      )}
    </FieldFrame>
  );
}
