import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useRef,
  useSyncExternalStore,
} from 'react';
import { LiveClient, type LiveStatus, type Topic, type TopicListener } from './client';

const LiveContext = createContext<LiveClient | null>(null);

function openSocket(): WebSocket {
  const url = new URL('/api/v1/stream', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return new WebSocket(url);
}

async function hubAnswers(): Promise<boolean> {
  try {
    const answer = await fetch('/healthz', {
      signal: AbortSignal.timeout(5000),
      cache: 'no-store',
    });
    return answer.ok;
  } catch {
    return false;
  }
}

/** A client for this page's own hub. */
export const makeLiveClient = (): LiveClient =>
  new LiveClient({ open: openSocket, probe: hubAnswers });

/** Runs the tab's live client for everything below. */
export function LiveProvider({ client, children }: { client: LiveClient; children: ReactNode }) {
  useEffect(() => {
    client.start();
    const wake = () => client.wake();
    window.addEventListener('online', wake);
    document.addEventListener('visibilitychange', wake);
    return () => {
      window.removeEventListener('online', wake);
      document.removeEventListener('visibilitychange', wake);
      client.stop();
    };
  }, [client]);
  return <LiveContext.Provider value={client}>{children}</LiveContext.Provider>;
}

export function useLiveClient(): LiveClient {
  const client = useContext(LiveContext);
  if (!client) throw new Error('Live data was asked for outside the LiveProvider');
  return client;
}

export function useLiveStatus(): LiveStatus {
  const client = useLiveClient();
  return useSyncExternalStore(
    (changed) => client.onStatus(changed),
    () => client.status,
  );
}

/** Listens to a topic while the component is there; the newest listener is always the one called. */
export function useTopic(topic: Topic | null, listener: TopicListener): void {
  const client = useLiveClient();
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  const key = topic ? JSON.stringify(topic) : null;
  useEffect(() => {
    if (key === null) return;
    return client.subscribe(JSON.parse(key) as Topic, {
      onSnapshot: (data) => latest.current.onSnapshot(data),
      onDelta: (data) => latest.current.onDelta(data),
      onStale: () => latest.current.onStale?.(),
      onError: (error) => latest.current.onError?.(error),
    });
  }, [client, key]);
}
