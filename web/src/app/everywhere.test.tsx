import { act, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { prefer } from '@/shared/preferences';
import { connection, FakeHub, hubFunction, page, state } from '@/shared/testing/fake-hub';
import { fakeLive } from '@/shared/testing/fake-socket';
import { App } from './App';

let hub: FakeHub;
let live: ReturnType<typeof fakeLive>;

beforeEach(() => {
  localStorage.clear();
  live = fakeLive();
  hub = new FakeHub()
    .on('GET /auth/me', [200, { name: 'ada', role: 'admin', via: 'session' }])
    .on('GET /connections', [200, page(connection())])
    .on('GET /connections/c1', [200, connection()])
    .on('GET /connections/c1/functions', [200, page(hubFunction())])
    .on('GET /functions', [200, page(hubFunction())])
    .on('GET /pipelines', [200, page()]);
  return () => vi.unstubAllGlobals();
});

/** The page is there and its live line is open. */
async function openLive(path: string) {
  history.replaceState(null, '', path);
  render(<App makeLive={() => live.client} />);
  await waitFor(() => expect(live.sockets.length).toBeGreaterThan(0));
  act(() => live.socket.open());
}

describe('everywhere', () => {
  it('Ctrl-K goes to a connection by its name, by keyboard alone', async () => {
    await openLive('/pipelines');
    await screen.findByRole('heading', { name: 'Pipelines' });
    await userEvent.keyboard('{Control>}k{/Control}');
    const search = await screen.findByRole('combobox', { name: 'Search and commands' });
    await userEvent.type(search, 'fill');
    const option = await screen.findByRole('option', { name: /^Filler/ });
    await waitFor(() => expect(search).toHaveAttribute('aria-activedescendant', option.id));
    await userEvent.keyboard('{Enter}');
    await waitFor(() => expect(location.pathname).toMatch(/^\/connections\/c1/));
    expect(screen.queryByRole('combobox', { name: 'Search and commands' })).toBeNull();
  });

  it('Ctrl-K does things: the arrow keys choose, Enter stops a connection', async () => {
    hub.on('POST /connections/c1/stop', [200, connection({ state: state('Idle') })]);
    await openLive('/pipelines');
    await screen.findByRole('heading', { name: 'Pipelines' });
    await userEvent.keyboard('{Control>}k{/Control}');
    await userEvent.type(await screen.findByRole('combobox'), 'filler');
    await screen.findByRole('option', { name: /^Stop Filler/ });
    // Filler, then its function, then what can be done to it.
    await userEvent.keyboard('{ArrowDown}{ArrowDown}{Enter}');
    expect(await screen.findByText('“Filler” is stopped.')).toBeInTheDocument();
  });

  it('Ctrl-K asks for a reason before it suspends', async () => {
    await openLive('/pipelines');
    await screen.findByRole('heading', { name: 'Pipelines' });
    await userEvent.keyboard('{Control>}k{/Control}');
    await userEvent.type(await screen.findByRole('combobox'), 'suspend fill');
    await screen.findByRole('option', { name: /^Suspend Filler/ });
    await userEvent.keyboard('{Enter}');
    expect(await screen.findByLabelText(/^Reason/)).toBeInTheDocument();
  });

  it('? shows the shortcuts, but not while one writes, nor for those who turned it off', async () => {
    await openLive('/connections');
    const search = await screen.findByRole('textbox');
    await userEvent.type(search, '?');
    expect(screen.queryByRole('dialog')).toBeNull();
    search.blur();
    await userEvent.keyboard('?');
    const dialog = await screen.findByRole('dialog');
    expect(within(dialog).getByText('This list')).toBeInTheDocument();
    await userEvent.keyboard('{Escape}');
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    await act(() => prefer({ singleKeys: false }));
    await userEvent.keyboard('?');
    expect(screen.queryByRole('dialog')).toBeNull();
    await act(() => prefer({ singleKeys: true }));
  });

  it('/ goes into the search of the page', async () => {
    await openLive('/connections');
    const search = await screen.findByRole('textbox');
    await userEvent.keyboard('/');
    expect(search).toHaveFocus();
    expect(search).toHaveValue('');
  });

  it('the focus goes with the page', async () => {
    await openLive('/connections');
    await screen.findByRole('heading', { name: 'Connections' });
    await userEvent.click(screen.getByRole('link', { name: 'Pipelines' }));
    await screen.findByRole('heading', { name: 'Pipelines' });
    expect(screen.getByRole('main')).toHaveFocus();
  });

  it('the focus stays in a dialog when the page behind it changes', async () => {
    await openLive('/connections');
    await screen.findByRole('heading', { name: 'Connections' });
    await userEvent.click(screen.getByRole('link', { name: 'Pipelines' }));
    await screen.findByRole('heading', { name: 'Pipelines' });
    await userEvent.keyboard('{Control>}k{/Control}');
    const search = await screen.findByRole('combobox');
    await waitFor(() => expect(search).toHaveFocus());
    act(() => history.back());
    await screen.findByRole('heading', { name: 'Connections', hidden: true });
    expect(search).toHaveFocus();
  });

  it('the language is changed at once and everywhere, and back', async () => {
    await openLive('/connections');
    await screen.findByRole('heading', { name: 'Connections' });
    await act(() => prefer({ language: 'de' }));
    expect(await screen.findByRole('heading', { name: 'Verbindungen' })).toBeInTheDocument();
    await act(() => prefer({ language: 'en' }));
    expect(await screen.findByRole('heading', { name: 'Connections' })).toBeInTheDocument();
  });

  it('what is shown can be copied as YAML that has no secret', async () => {
    const written = vi.fn(async (_: string) => undefined);
    vi.stubGlobal('navigator', {
      ...navigator,
      languages: ['en'],
      clipboard: { writeText: written },
    });
    hub.on('GET /connections/c1', [
      200,
      connection({ secrets: { password: { set: true, changedAt: null } } }),
    ]);
    await openLive('/connections/c1/functions');
    fireEvent.click(await screen.findByRole('button', { name: 'Copy as…' }));
    fireEvent.click(await screen.findByRole('menuitem', { name: 'YAML' }));
    await waitFor(() => expect(written).toHaveBeenCalled());
    const text = written.mock.calls[0]?.[0] ?? '';
    expect(text).toMatch(/^# Set again by hand: the secret "password" of "Filler"\.\nconnections:/);
    expect(text).toContain('  - name: Filler\n    type: modbus\n');
    expect(text).toContain('      - name: Watch filler\n');
    expect(text).not.toMatch(/createdAt|state:|version:/);
  });
});
describe('ten thousand connections', () => {
  it('are brought up to date as one list, and a storm of changes four times a second at most', async () => {
    const many = Array.from({ length: 10_000 }, (_, i) =>
      connection({ id: `c${i}`, name: `Pump ${i}` }),
    );
    hub.on('GET /connections', [200, page(...many)]);
    await openLive('/pipelines');
    await screen.findByRole('heading', { name: 'Pipelines' });
    await waitFor(() => expect(hub.asked.some(({ path }) => path === '/connections')).toBe(true));
    const id = live.socket.idOf('connections');
    const began = performance.now();
    act(() =>
      live.socket.say({
        id,
        seq: 1,
        type: 'snapshot',
        data: many.map((one) => ({ id: one.id, name: one.name, state: state('Failed') })),
      }),
    );
    act(() => {
      for (let seq = 2; seq < 2002; seq += 1)
        live.socket.say({ id, seq, type: 'delta', data: { id: `c${seq}`, state: state('Idle') } });
    });
    // A new list for each change would take minutes.
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await screen.findByText('8000')).toBeInTheDocument();
  });
});
