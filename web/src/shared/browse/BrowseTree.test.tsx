import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeHub, page } from '@/shared/testing/fake-hub';
import { renderUi } from '@/shared/testing/render';
import { BrowseTree, type Chosen } from './BrowseTree';

const folder = (name: string) => ({
  id: `ns=1;s=${name}`,
  name,
  hasChildren: true,
  details: { nodeClass: 'Object' },
});
const variable = (name: string, access = 'read') => ({
  id: `ns=1;s=${name}`,
  name,
  hasChildren: false,
  details: { nodeClass: 'Variable', dataType: 'Double', access },
});

let hub: FakeHub;
let chosen: Chosen;

beforeEach(() => {
  const below: Record<string, object> = {
    '': page(folder('Filler'), folder('Palletiser')),
    'ns=1;s=Filler': page(variable('speed', 'readWrite'), variable('level'), variable('state')),
    'ns=1;s=Palletiser': page(variable('height'), folder('Filler')),
  };
  hub = new FakeHub().on('GET /connections/c1/browse', ({ query }) => [
    200,
    below[query.get('node') ?? ''],
  ]);
  return () => vi.unstubAllGlobals();
});

function Harness() {
  const [value, setValue] = useState<Chosen>(new Map());
  chosen = value;
  return <BrowseTree connectionId="c1" label="Address space" chosen={value} onChoose={setValue} />;
}

const item = (name: string) => screen.findByRole('treeitem', { name: new RegExp(`^${name}`) });

describe('a browse tree', () => {
  it('asks for the children of a node when it is opened, and for nothing before', async () => {
    renderUi(<Harness />);
    await item('Filler');
    expect(hub.asked).toHaveLength(1);
    (await item('Filler')).focus();
    await userEvent.keyboard('{ArrowRight}');
    const speed = await item('speed');
    expect(hub.asked).toHaveLength(2);
    expect(speed).toHaveAttribute('aria-level', '2');
    expect(within(speed).getByText('Double')).toBeInTheDocument();
    expect(within(speed).getByText('read, write')).toBeInTheDocument();
    await userEvent.keyboard('{ArrowLeft}');
    expect(screen.queryByRole('treeitem', { name: /^speed/ })).toBeNull();
  });

  it('lets variables be chosen by keyboard, a range with Shift, and not folders', async () => {
    renderUi(<Harness />);
    (await item('Filler')).focus();
    await userEvent.keyboard('{Enter}');
    await item('speed');
    await userEvent.keyboard('{ArrowDown} ');
    expect([...chosen.keys()]).toEqual(['ns=1;s=speed']);
    await userEvent.keyboard('{ArrowDown}{ArrowDown}{Shift>} {/Shift}');
    expect([...chosen.values()].map((node) => node.path)).toEqual([
      ['Filler', 'speed'],
      ['Filler', 'level'],
      ['Filler', 'state'],
    ]);
    expect(await item('Filler')).not.toHaveAttribute('aria-checked');
  });

  it('finds what is loaded, and everything after loading everything, in circles too', async () => {
    renderUi(<Harness />);
    await item('Filler');
    await userEvent.type(screen.getByRole('textbox'), 'height');
    expect(screen.getByText(/^0 found/)).toBeInTheDocument();
    await userEvent.click(screen.getByRole('button', { name: 'Load everything' }));
    await item('Palletiser / height');
    await waitFor(() => screen.getByRole('button', { name: 'Load everything' }));
    await userEvent.clear(screen.getByRole('textbox'));
    await userEvent.type(screen.getByRole('textbox'), 'filler double');
    await userEvent.click(await screen.findByRole('button', { name: 'Choose all 3' }));
    expect(chosen.size).toBe(3);
  });

  it('goes on where a page ended', async () => {
    hub.on('GET /connections/c1/browse', ({ query }) =>
      query.get('cursor') === 'p2'
        ? [200, page(variable('second'))]
        : [200, { items: [variable('first')], next: 'p2' }],
    );
    renderUi(<Harness />);
    await userEvent.click(await item('Show more'));
    expect(await item('second')).toBeInTheDocument();
    expect(screen.queryByText('Show more')).toBeNull();
  });

  it('says what the hub says when the peer is not there, and tries again', async () => {
    hub.on('GET /connections/c1/browse', [
      409,
      { title: 'The connection is Idle', code: 'not_connected', status: 409, hint: 'Start it.' },
    ]);
    renderUi(<Harness />);
    expect(await screen.findByRole('alert')).toHaveTextContent('The connection is Idle');
    hub.on('GET /connections/c1/browse', [200, page(variable('first'))]);
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await item('first')).toBeInTheDocument();
  });
});
