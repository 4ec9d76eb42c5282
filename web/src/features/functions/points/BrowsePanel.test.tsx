import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createEvent, fireEvent, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type JsonSchema, type SchemaFormState, useSchemaForm } from '@/shared/form';
import { connection, FakeHub, page } from '@/shared/testing/fake-hub';
import { renderUi } from '@/shared/testing/render';
import { PointForm } from './testing/PointForm';
import { placeAt } from './use-drop';

const schema: JsonSchema = {
  type: 'object',
  properties: {
    nodes: {
      type: 'array',
      title: 'Nodes',
      'x-key': 'name',
      'x-widget': 'points',
      items: {
        type: 'object',
        required: ['name', 'nodeId'],
        properties: {
          name: { type: 'string', title: 'Name' },
          nodeId: { type: 'string', title: 'Node id' },
        },
      },
    },
  },
};
const row = (name: string) => ({ name, nodeId: `ns=1;s=${name}` });
const variable = (name: string) => ({
  id: `ns=1;s=${name}`,
  name,
  hasChildren: false,
  details: { dataType: 'Double', access: 'read' },
});

let form: SchemaFormState;
const submitted = vi.fn();

function Harness({ nodes }: { nodes: object[] }) {
  form = useSchemaForm({ schema, initial: { nodes } });
  return (
    <form onSubmit={submitted}>
      <PointForm form={form} stored={undefined} canBrowse />
    </form>
  );
}

const names = () => (form.value.nodes as { name: string }[]).map(({ name }) => name);
const tree = () => screen.findByRole('tree', { name: 'What the device offers' });
const item = async (name: string) =>
  within(await tree()).findByRole('treeitem', { name: new RegExp(`^${name}`) });

/** What the browser tells of a drag, with the transfer that goes along. */
function transfer(dropEffect = 'none') {
  return { effectAllowed: '', dropEffect, setData: vi.fn() };
}

/** The pointer is over `element`, so far from the top; the fake page knows no place of a drag by itself. */
function over(kind: 'dragOver' | 'drop', element: Element, clientY: number, dataTransfer: object) {
  const event = createEvent[kind](element, { dataTransfer });
  Object.defineProperty(event, 'clientY', { value: clientY });
  fireEvent(element, event);
}

async function show(...nodes: object[]) {
  renderUi(
    <QueryClientProvider client={new QueryClient()}>
      <Harness nodes={nodes} />
    </QueryClientProvider>,
  );
  await userEvent.click(screen.getByRole('button', { name: 'Browse…' }));
  await item('speed');
}

beforeEach(() => {
  submitted.mockClear();
  new FakeHub()
    .on('GET /connections/c1', [200, connection()])
    .on('GET /connections/c1/browse', [
      200,
      page(variable('speed'), variable('level'), variable('flow')),
    ])
    .on('POST /connections/c1/browse/values', [
      409,
      { title: 'Read by functions only', code: 'not_readable', status: 409 },
    ]);
  return () => vi.unstubAllGlobals();
});

describe('nodes dragged from the tree', () => {
  it('come between the rows where they are dropped, and the place is shown before', async () => {
    await show(row('a'), row('b'));
    const dataTransfer = transfer();
    const level = await item('level');
    expect(level).toHaveAttribute('draggable', 'true');
    fireEvent.dragStart(level, { dataTransfer });
    const grid = screen.getByRole('grid');
    // Rows are 30 pixels high, and begin at the top of a page without layout.
    over('dragOver', grid, 32, dataTransfer);
    expect(screen.getByText('Add 1 point here')).toBeInTheDocument();
    over('drop', grid, 32, dataTransfer);
    fireEvent.dragEnd(level, { dataTransfer: transfer('copy') });
    expect(names()).toEqual(['a', 'level', 'b']);
    expect(screen.queryByText('Add 1 point here')).toBeNull();
    await userEvent.click(screen.getByRole('button', { name: 'Undo' }));
    expect(names()).toEqual(['a', 'b']);
  });

  it('take all that are chosen along, which are chosen no longer once they are dropped', async () => {
    await show(row('a'));
    await userEvent.click(await item('speed'));
    await userEvent.click(await item('flow'));
    const dataTransfer = transfer();
    const flow = await item('flow');
    fireEvent.dragStart(flow, { dataTransfer });
    expect(dataTransfer.setData).toHaveBeenCalledWith('text/plain', 'ns=1;s=speed\nns=1;s=flow');
    over('dragOver', screen.getByRole('grid'), 900, dataTransfer);
    expect(screen.getByText('Add 2 points here')).toBeInTheDocument();
    over('drop', screen.getByRole('grid'), 900, dataTransfer);
    fireEvent.dragEnd(flow, { dataTransfer: transfer('copy') });
    expect(names()).toEqual(['a', 'speed', 'flow']);
    expect(await item('flow')).toHaveAttribute('aria-checked', 'false');
    expect(await tree()).toBeInTheDocument();
  });

  it('stay chosen and add nothing when they are let go elsewhere', async () => {
    await show(row('a'));
    await userEvent.click(await item('speed'));
    const dataTransfer = transfer();
    const speed = await item('speed');
    fireEvent.dragStart(speed, { dataTransfer });
    const grid = screen.getByRole('grid');
    over('dragOver', grid, 0, dataTransfer);
    fireEvent.dragLeave(grid, { dataTransfer, relatedTarget: document.body });
    expect(screen.queryByText('Add 1 point here')).toBeNull();
    fireEvent.dragEnd(speed, { dataTransfer: transfer() });
    over('drop', grid, 0, dataTransfer);
    expect(names()).toEqual(['a']);
    expect(await item('speed')).toHaveAttribute('aria-checked', 'true');
  });

  it('begin an empty table', async () => {
    await show();
    const dataTransfer = transfer();
    fireEvent.dragStart(await item('speed'), { dataTransfer });
    const empty = screen.getByRole('region', { name: 'No points yet' });
    fireEvent.dragOver(empty, { dataTransfer });
    expect(within(empty).getByText('Add 1 point here')).toBeInTheDocument();
    fireEvent.drop(empty, { dataTransfer });
    expect(form.value.nodes).toEqual([row('speed')]);
  });
});

describe('nodes chosen by keyboard', () => {
  it('are added at the end by the button, and the focus is where it was before', async () => {
    await show(row('a'));
    expect(screen.getByRole('textbox', { name: /Search/ })).toHaveFocus();
    (await item('speed')).focus();
    await userEvent.keyboard(' {ArrowDown} ');
    await userEvent.click(screen.getByRole('button', { name: 'Add 2 points' }));
    expect(names()).toEqual(['a', 'speed', 'level']);
    expect(screen.queryByRole('tree')).toBeNull();
    await waitFor(() => expect(screen.getByRole('button', { name: 'Browse…' })).toHaveFocus());
  });

  it('are left by Escape; Enter in the search saves nothing', async () => {
    await show(row('a'));
    await userEvent.keyboard('spe{Enter}');
    expect(submitted).not.toHaveBeenCalled();
    await userEvent.keyboard('{Escape}');
    expect(screen.queryByRole('tree')).toBeNull();
    await waitFor(() => expect(screen.getByRole('button', { name: 'Browse…' })).toHaveFocus());
    expect(names()).toEqual(['a']);
  });
});

describe('the place of a drop', () => {
  it('is the nearest edge of a row, and never beyond the list', () => {
    expect([0, 14, 16, 44, 46, 500].map((y) => placeAt(y, 0, 30, 3))).toEqual([0, 0, 1, 1, 2, 3]);
    expect(placeAt(5, 100, 30, 3)).toBe(0);
  });
});
