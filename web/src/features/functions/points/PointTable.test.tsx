import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type JsonSchema, type SchemaFormState, useSchemaForm } from '@/shared/form';
import { hubFunction } from '@/shared/testing/fake-hub';
import { renderUi } from '@/shared/testing/render';
import { PointForm } from './testing/PointForm';

vi.mock('@/shared/browse', () => ({ BrowseTree: () => null }));

const schema: JsonSchema = {
  type: 'object',
  required: ['points'],
  properties: {
    points: {
      type: 'array',
      title: 'Points',
      minItems: 1,
      maxItems: 10_000,
      'x-key': 'name',
      'x-widget': 'points',
      items: {
        type: 'object',
        required: ['name', 'address', 'dataType'],
        properties: {
          name: { type: 'string', title: 'Name', minLength: 1, examples: ['speed'] },
          address: { type: 'integer', title: 'Address', minimum: 0, maximum: 65_535 },
          dataType: { type: 'string', title: 'Data type', enum: ['uint16', 'int32'] },
          scale: { type: 'number', title: 'Scale', default: 1 },
        },
      },
    },
  },
};
const speed = { name: 'speed', address: 0, dataType: 'uint16' };
const level = { name: 'level', address: 4, dataType: 'int32' };
const many = Array.from({ length: 10_000 }, (_, at) => ({
  name: `p${at}`,
  address: at,
  dataType: 'uint16',
}));

let form: SchemaFormState;

function Harness({ points }: { points: object[] }) {
  form = useSchemaForm({ schema, initial: { points }, placeholders: true });
  return <PointForm form={form} stored={hubFunction()} canBrowse={false} />;
}

const show = (...points: object[]) => renderUi(<Harness points={points} />);
const grid = () => screen.getByRole('grid', { name: 'Points' });
const names = () => (form.value.points as { name: string }[]).map(({ name }) => name);
const pasteInto = (element: Element, text: string) =>
  fireEvent.paste(element, { clipboardData: { getData: () => text } });

beforeEach(() => {
  window.requestAnimationFrame = (next) => setTimeout(() => next(0), 0) as unknown as number;
});

describe('a table of points', () => {
  it('begins with a sample, or with what is pasted', async () => {
    show();
    expect(screen.queryByRole('grid')).toBeNull();
    await userEvent.click(screen.getByRole('button', { name: 'Add the sample' }));
    expect(form.value.points).toEqual([{ name: 'speed', address: 0, dataType: 'uint16' }]);
    await userEvent.click(screen.getByRole('button', { name: 'Undo' }));
    pasteInto(screen.getByRole('region', { name: 'No points yet' }), 'a\t1\tuint16\nb\t2\tint32');
    expect(names()).toEqual(['a', 'b']);
  });

  it('is edited by keyboard: arrows, typing, Enter, Escape, Delete', async () => {
    show(speed, level);
    grid().focus();
    await userEvent.keyboard('{ArrowRight}12{Enter}');
    expect(form.value.points).toEqual([{ ...speed, address: 12 }, level]);
    expect(grid()).toHaveFocus();
    // Enter went down: the address of the second row.
    await userEvent.keyboard('{F2}0{Enter}');
    expect(form.value.points).toEqual([
      { ...speed, address: 12 },
      { ...level, address: 40 },
    ]);
    await userEvent.keyboard('{F2}99{Escape}');
    expect(form.value.points).toContainEqual({ ...level, address: 40 });
    await userEvent.keyboard('{Delete}');
    expect(form.value.points).toContainEqual({ name: 'level', dataType: 'int32' });
  });

  it('offers a choice as a choice, and Tab goes on to the next cell', async () => {
    show(speed);
    grid().focus();
    await userEvent.keyboard('{End}{ArrowLeft}{Enter}');
    const [inCell] = within(grid()).getAllByRole('combobox', { name: 'Data type' });
    await userEvent.selectOptions(inCell as HTMLElement, 'int32');
    await userEvent.keyboard('{Tab}');
    expect(form.value.points).toEqual([{ ...speed, dataType: 'int32' }]);
    await userEvent.keyboard('0,5{Enter}');
    expect(form.value.points).toEqual([{ ...speed, dataType: 'int32', scale: 0.5 }]);
  });

  it('duplicates, deletes and takes back, for many rows at once', async () => {
    show(speed, level);
    grid().focus();
    await userEvent.keyboard('{Control>}a{/Control}{Control>}d{/Control}');
    expect(names()).toEqual(['speed', 'level', 'speed2', 'level2']);
    await userEvent.keyboard('{Control>}{Delete}{/Control}');
    expect(names()).toEqual(['speed', 'level']);
    await userEvent.keyboard('{Control>}z{/Control}{Control>}z{/Control}');
    expect(names()).toEqual(['speed', 'level']);
    await userEvent.keyboard('{Control>}y{/Control}');
    expect(names()).toEqual(['speed', 'level', 'speed2', 'level2']);
    expect(screen.getByRole('button', { name: 'Redo' })).toBeEnabled();
  });

  it('copies rows as a spreadsheet takes them, and pastes what one gives', () => {
    show(speed, level);
    grid().focus();
    const setData = vi.fn();
    fireEvent.copy(grid(), { clipboardData: { setData } });
    expect(setData).toHaveBeenCalledWith('text/plain', 'name\taddress\tdataType\nspeed\t0\tuint16');
    pasteInto(grid(), 'name\taddress\tdataType\nlevel\t8\tint32\nflow\t9\tuint16');
    expect(form.value.points).toEqual([
      speed,
      { ...level, address: 8 },
      { name: 'flow', address: 9, dataType: 'uint16' },
    ]);
  });

  it('marks the cell that is wrong and leads to it', async () => {
    show(speed, { ...level, address: -1 }, { ...speed, address: 3 });
    const wrong = await screen.findByRole('gridcell', { name: /The least is 0/ });
    expect(wrong).toHaveAttribute('aria-invalid', 'true');
    await userEvent.click(screen.getByRole('button', { name: 'Next problem (2 rows)' }));
    await waitFor(() => expect(grid()).toHaveFocus());
    expect(document.getElementById(grid().getAttribute('aria-activedescendant') ?? '')).toBe(wrong);
    await userEvent.keyboard('7{Enter}');
    await userEvent.click(screen.getByRole('button', { name: 'Next problem (1 row)' }));
    expect(within(grid()).getByText('“speed” is used by another row.')).toBeInTheDocument();
  });

  it('shows every setting of the row at the cursor, with defaults that are not stored', async () => {
    show(speed);
    const scale = screen.getByRole('textbox', { name: 'Scale' });
    expect(scale).toHaveAttribute('placeholder', 'Default: 1');
    await userEvent.type(scale, '10');
    expect(form.result().points).toEqual([{ ...speed, scale: 10 }]);
    await userEvent.click(screen.getByRole('button', { name: 'Undo' }));
    expect(form.result().points).toEqual([speed]);
  });

  it('holds ten thousand points, draws those in view, finds and edits the last', async () => {
    show(...many);
    expect(screen.getAllByRole('row').length).toBeLessThan(60);
    expect(grid()).toHaveAttribute('aria-rowcount', '10001');
    act(() => grid().focus());
    fireEvent.keyDown(grid(), { key: 'End', ctrlKey: true });
    const last = await screen.findByRole('row', { name: /p9999/ });
    expect(within(last).getByRole('rowheader')).toHaveTextContent('10000');
    const began = performance.now();
    fireEvent.keyDown(grid(), { key: 'Home' });
    await userEvent.keyboard('renamed{Enter}');
    expect(names().at(-1)).toBe('renamed');
    expect(performance.now() - began).toBeLessThan(5000);
    await userEvent.type(screen.getByRole('textbox', { name: 'Filter points' }), 'p4711');
    expect(await screen.findByText('1 of 10 000 rows')).toBeInTheDocument();
  });

  it('makes no more rows than the list may have', async () => {
    show(...many);
    await userEvent.click(screen.getByRole('button', { name: 'Add point' }));
    expect(form.value.points).toHaveLength(10_000);
  });
});

describe('points from a range', () => {
  it('are seen before they are added, and are one step to take back', async () => {
    show(speed);
    await userEvent.click(screen.getByRole('button', { name: 'Range…' }));
    const dialog = await screen.findByRole('dialog');
    const name = within(dialog).getByRole('textbox', { name: /^Name/ });
    await userEvent.clear(name);
    fireEvent.change(name, { target: { value: 'Motor[1..40].Speed' } });
    await userEvent.type(within(dialog).getByRole('textbox', { name: /^Address/ }), '100');
    await userEvent.selectOptions(within(dialog).getByLabelText(/^Data type/), 'uint16');
    const step = within(dialog).getByRole('textbox', { name: 'Step of Address' });
    await userEvent.clear(step);
    await userEvent.type(step, '2');
    expect(within(dialog).getByRole('cell', { name: 'Motor[40].Speed' })).toBeInTheDocument();
    expect(within(dialog).getByRole('cell', { name: '178' })).toBeInTheDocument();
    await userEvent.click(within(dialog).getByRole('button', { name: 'Add 40 points' }));
    expect(names()).toHaveLength(41);
    await userEvent.click(screen.getByRole('button', { name: 'Undo' }));
    expect(names()).toEqual(['speed']);
  });

  it('say what is wrong with a range', async () => {
    show(speed);
    await userEvent.click(screen.getByRole('button', { name: 'Range…' }));
    const dialog = await screen.findByRole('dialog');
    fireEvent.change(within(dialog).getByRole('textbox', { name: /^Name/ }), {
      target: { value: 'x[1..a]' },
    });
    expect(within(dialog).getByRole('alert')).toHaveTextContent('[1..a] is not a range');
    expect(within(dialog).getByRole('button', { name: /^Add/ })).toBeDisabled();
  });
});
