import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
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
  hub = new FakeHub()
    .on('GET /connections/c1/browse', ({ query }) => [200, below[query.get('node') ?? '']])
    .on('POST /connections/c1/browse/values', [
      409,
      { title: 'Read by functions only', code: 'not_readable', status: 409 },
    ]);
  return () => vi.unstubAllGlobals();
});

function Harness() {
  const [value, setValue] = useState<Chosen>(new Map());
  chosen = value;
  return <BrowseTree connectionId="c1" label="Address space" chosen={value} onChoose={setValue} />;
}

const renderTree = () =>
  renderUi(
    <QueryClientProvider client={new QueryClient()}>
      <Harness />
    </QueryClientProvider>,
  );

const item = (name: string) => screen.findByRole('treeitem', { name: new RegExp(`^${name}`) });

describe('a browse tree', () => {
  it('asks for the children of a node when it is opened, and for nothing before', async () => {
    renderTree();
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
    renderTree();
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

  it('shows what the variables in sight hold, and nothing that is not of now', async () => {
    const sample = (name: string, more: object) => ({
      point: `ns=1;s=${name}`,
      value: null,
      quality: 'good',
      receiveTime: '2026-11-26T12:00:00Z',
      ...more,
    });
    hub.on('POST /connections/c1/browse/values', [
      200,
      {
        samples: [
          sample('speed', { value: 742.5 }),
          sample('level', { quality: 'bad', code: 'BadSensorFailure' }),
        ],
      },
    ]);
    renderTree();
    (await item('Filler')).focus();
    await userEvent.keyboard('{Enter}');
    expect(await within(await item('speed')).findByText('742.5')).toBeInTheDocument();
    expect(within(await item('level')).queryByText('–')).toBeNull();
    expect(hub.last('POST /connections/c1/browse/values').body).toEqual({
      nodes: ['ns=1;s=speed', 'ns=1;s=level', 'ns=1;s=state'],
    });
    hub.on('POST /connections/c1/browse/values', [502, { title: 'Gone', code: 'x', status: 502 }]);
    await waitFor(() => expect(screen.queryByText('742.5')).toBeNull(), { timeout: 5000 });
  });

  it('finds what is loaded, and everything after loading everything, in circles too', async () => {
    renderTree();
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
    renderTree();
    await userEvent.click(await item('Show more'));
    expect(await item('second')).toBeInTheDocument();
    expect(screen.queryByText('Show more')).toBeNull();
  });

  it('says what the hub says when the peer is not there, and tries again', async () => {
    hub.on('GET /connections/c1/browse', [
      409,
      { title: 'The connection is Idle', code: 'not_connected', status: 409, hint: 'Start it.' },
    ]);
    renderTree();
    expect(await screen.findByRole('alert')).toHaveTextContent('The connection is Idle');
    hub.on('GET /connections/c1/browse', [200, page(variable('first'))]);
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await item('first')).toBeInTheDocument();
  });
});
