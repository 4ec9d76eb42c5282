import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { MemoryRouter, Route, Routes } from 'react-router';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { connection, FakeHub, hubFunction, page } from '@/shared/testing/fake-hub';
import { renderUi } from '@/shared/testing/render';
import { demo } from './demo';
import WelcomePage from './WelcomePage';

let hub: FakeHub;

beforeEach(() => {
  hub = new FakeHub().on('GET /connections', [200, page()]);
  return () => vi.unstubAllGlobals();
});

function open() {
  renderUi(
    <QueryClientProvider
      client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}
    >
      <MemoryRouter initialEntries={['/welcome']}>
        <Routes>
          <Route path="/welcome" element={<WelcomePage />} />
          <Route path="/connections/:id/values" element={<p>live values</p>} />
        </Routes>
      </MemoryRouter>
    </QueryClientProvider>,
  );
}

describe('the first steps', () => {
  it('make the demo with all its functions and lead to its live values', async () => {
    hub
      .on('POST /connections', [201, connection()])
      .on('POST /connections/c1/functions', [201, hubFunction()])
      .on('POST /pipelines/import', [201, {}]);
    open();
    await userEvent.click(await screen.findByRole('button', { name: 'Connect the demo plant' }));
    await userEvent.clear(screen.getByLabelText('Port'));
    await userEvent.type(screen.getByLabelText('Port'), '15020');
    await userEvent.click(screen.getByRole('button', { name: 'Connect' }));
    expect(await screen.findByText('live values')).toBeInTheDocument();
    expect(hub.last('POST /connections').body).toMatchObject({
      name: 'Bottling line',
      settings: { host: '127.0.0.1', port: 15020 },
    });
    const functions = hub.asked.filter(({ path }) => path === '/connections/c1/functions');
    expect(functions.map(({ body }) => body)).toEqual(demo.connections[0]?.functions);
    expect(hub.last('POST /pipelines/import').body).toMatchObject({ enabled: true });
  });

  it('offer what is there already, and then no second demo', async () => {
    hub.on('GET /connections', [200, page(connection({ name: 'Bottling line' }))]);
    open();
    expect(await screen.findByRole('link', { name: 'Bottling line' })).toHaveAttribute(
      'href',
      '/connections/c1/values',
    );
    expect(screen.queryByRole('button', { name: 'Connect the demo plant' })).toBeNull();
  });
});
