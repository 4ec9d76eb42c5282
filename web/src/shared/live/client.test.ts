import { beforeEach, describe, expect, it, vi } from 'vitest';
import { fakeLive } from '@/shared/testing/fake-socket';

function listener() {
  return { onSnapshot: vi.fn(), onDelta: vi.fn(), onStale: vi.fn(), onError: vi.fn() };
}

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

describe('the live client', () => {
  it('subscribes when the line opens and hands on snapshot and deltas in order', () => {
    const live = fakeLive();
    const seen = listener();
    live.client.subscribe({ topic: 'connections' }, seen);
    live.client.start();
    live.socket.open();
    expect(live.socket.sent).toEqual([{ subscribe: 1, topic: 'connections' }]);
    live.socket.say({ id: 1, seq: 1, type: 'snapshot', data: [{ id: 'a' }] });
    live.socket.say({ id: 1, seq: 2, type: 'delta', data: { id: 'b' } });
    expect(seen.onSnapshot).toHaveBeenCalledWith([{ id: 'a' }]);
    expect(seen.onDelta).toHaveBeenCalledWith({ id: 'b' });
    expect(live.client.status).toBe('live');
  });

  it('shares one subscription among listeners and ends it with the last of them', () => {
    const live = fakeLive();
    live.client.start();
    live.socket.open();
    const [first, second] = [listener(), listener()];
    const leaveFirst = live.client.subscribe({ topic: 'values', functionId: 'f' }, first);
    const leaveSecond = live.client.subscribe({ topic: 'values', functionId: 'f' }, second);
    expect(live.socket.sent).toEqual([{ subscribe: 1, topic: 'values', functionId: 'f' }]);
    live.socket.say({ id: 1, seq: 1, type: 'snapshot', data: [] });
    leaveFirst();
    expect(live.socket.sent).toHaveLength(1);
    leaveSecond();
    expect(live.socket.sent.at(-1)).toEqual({ unsubscribe: 1 });
    live.socket.say({ id: 1, seq: 2, type: 'delta', data: {} });
    expect(second.onDelta).not.toHaveBeenCalled();
  });

  it('gives a listener that comes late a snapshot of its own', () => {
    const live = fakeLive();
    live.client.start();
    live.socket.open();
    live.client.subscribe({ topic: 'connections' }, listener());
    live.socket.say({ id: 1, seq: 1, type: 'snapshot', data: [] });
    const late = listener();
    live.client.subscribe({ topic: 'connections' }, late);
    live.socket.say({ id: live.socket.idOf('connections'), seq: 1, type: 'snapshot', data: [1] });
    expect(late.onSnapshot).toHaveBeenCalledWith([1]);
  });

  it('tells of a gap, ignores deltas until the next snapshot, then goes on', () => {
    const live = fakeLive();
    const seen = listener();
    live.client.subscribe({ topic: 'connections' }, seen);
    live.client.start();
    live.socket.open();
    live.socket.say({ id: 1, seq: 1, type: 'snapshot', data: [] });
    live.socket.say({ id: 1, type: 'gap' });
    expect(seen.onStale).toHaveBeenCalledOnce();
    live.socket.say({ id: 1, seq: 8, type: 'delta', data: {} });
    expect(seen.onDelta).not.toHaveBeenCalled();
    live.socket.say({ id: 1, seq: 9, type: 'snapshot', data: [] });
    live.socket.say({ id: 1, seq: 10, type: 'delta', data: { id: 'c' } });
    expect(seen.onDelta).toHaveBeenCalledWith({ id: 'c' });
  });

  it('starts a topic over when a number is missing', () => {
    const live = fakeLive();
    const seen = listener();
    live.client.subscribe({ topic: 'connections' }, seen);
    live.client.start();
    live.socket.open();
    live.socket.say({ id: 1, seq: 1, type: 'snapshot', data: [] });
    live.socket.say({ id: 1, seq: 3, type: 'delta', data: {} });
    expect(seen.onDelta).not.toHaveBeenCalled();
    expect(seen.onStale).toHaveBeenCalledOnce();
    expect(live.socket.sent.slice(1)).toEqual([
      { unsubscribe: 1 },
      { subscribe: 2, topic: 'connections' },
    ]);
  });

  it('is stale while the line is down, retries with growing delays and subscribes anew', () => {
    const live = fakeLive();
    const seen = listener();
    live.client.subscribe({ topic: 'connections' }, seen);
    live.client.start();
    live.socket.open();
    live.socket.say({ id: 1, seq: 1, type: 'snapshot', data: [] });
    live.socket.drop();
    expect(live.client.status).toBe('stale');
    expect(seen.onStale).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(500);
    expect(live.sockets).toHaveLength(2);
    live.socket.drop();
    vi.advanceTimersByTime(999);
    expect(live.sockets).toHaveLength(2);
    vi.advanceTimersByTime(1);
    expect(live.sockets).toHaveLength(3);
    live.socket.open();
    expect(live.client.status).toBe('live');
    expect(live.socket.sent).toEqual([{ subscribe: 2, topic: 'connections' }]);
  });

  it('never waits longer than 15 s between attempts', () => {
    const live = fakeLive();
    live.client.start();
    for (let attempt = 0; attempt < 12; attempt += 1) {
      live.socket.drop();
      vi.advanceTimersByTime(15_000);
    }
    expect(live.sockets).toHaveLength(13);
  });

  it('does not come back by itself when the session has ended', () => {
    const live = fakeLive();
    live.client.start();
    live.socket.open();
    live.socket.drop(4401);
    vi.advanceTimersByTime(60_000);
    expect(live.client.status).toBe('signedOut');
    expect(live.sockets).toHaveLength(1);
  });

  it('notices a line that died in silence by asking the hub', async () => {
    const live = fakeLive(async () => false);
    live.client.start();
    live.socket.open();
    await vi.advanceTimersByTimeAsync(15_000);
    expect(live.client.status).toBe('stale');
  });

  it('hands on a refusal', () => {
    const live = fakeLive();
    const seen = listener();
    live.client.subscribe({ topic: 'values', functionId: 'gone' }, seen);
    live.client.start();
    live.socket.open();
    const error = { code: 'not_found', message: 'There is no such function.' };
    live.socket.say({ id: 1, type: 'error', error });
    expect(seen.onError).toHaveBeenCalledWith(error);
  });
});
