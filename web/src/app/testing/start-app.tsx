import { act, render, waitFor } from '@testing-library/react';
import { expect } from 'vitest';
import { connection, connector, FakeHub, hubFunction, page } from '@/shared/testing/fake-hub';
import { fakeLive } from '@/shared/testing/fake-socket';
import { App } from '../App';

export const me = { name: 'ada', role: 'admin', via: 'session' };

/** The whole interface before a hub that has one connection with one function. */
export function startApp() {
  const live = fakeLive();
  const hub = new FakeHub()
    .on('GET /auth/me', [200, me])
    .on('GET /connections', [200, page(connection())])
    .on('GET /connections/c1', [200, connection()])
    .on('GET /connections/c1/functions', [200, page(hubFunction())])
    .on('GET /connectors', [200, page(connector)])
    .on('GET /connectors/modbus', [200, connector]);
  const open = (path: string) => {
    history.replaceState(null, '', path);
    return render(<App makeLive={() => live.client} />);
  };
  /** The page is there and its live line is open. */
  const openLive = async (path: string) => {
    const view = open(path);
    await waitFor(() => expect(live.sockets.length).toBeGreaterThan(0));
    act(() => live.socket.open());
    return view;
  };
  return { hub, live, open, openLive };
}
