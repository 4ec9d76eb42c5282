/** How fresh what the page shows is. `stale`: the hub does not answer, everything shown may be old. */
export type LiveStatus = 'connecting' | 'live' | 'stale' | 'signedOut';

export interface Topic {
  topic: 'connections' | 'values' | 'runs' | 'pipelines';
  functionId?: string;
  pipelineId?: string;
}

export interface TopicListener {
  onSnapshot: (data: unknown[]) => void;
  onDelta: (data: unknown) => void;
  /** Deltas were lost, or the line is down: what is known may be old until the next snapshot. */
  onStale?: () => void;
  onError?: (error: { code: string; message: string }) => void;
}

/** The part of a WebSocket the client needs; tests bring their own. */
export interface Socket {
  readonly readyState: number;
  send(text: string): void;
  close(code?: number): void;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent<string>) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
}

export interface LiveClientOptions {
  open: () => Socket;
  /** Whether the hub answers at all; asked when the line has been silent. */
  probe: () => Promise<boolean>;
  random?: () => number;
}

interface Subscription {
  id: number;
  topic: Topic;
  listeners: Set<TopicListener>;
  seq: number;
  /** A snapshot has come and every delta since. */
  fresh: boolean;
}

interface Message {
  id: number;
  seq?: number;
  type: 'snapshot' | 'delta' | 'gap' | 'error';
  data?: unknown;
  error?: { code: string; message: string };
}

const kFirstDelayMs = 500;
const kMaxDelayMs = 15_000;
const kSilenceMs = 15_000;
const kSessionEnded = 4401;
const kOpen = 1;

const keyOf = ({ topic, functionId, pipelineId }: Topic): string =>
  [topic, functionId ?? '', pipelineId ?? ''].join(' ');

/**
 * The one WebSocket of a tab. Listeners of the same topic share a subscription; the last one to leave ends it. A lost line
 * is made again with growing delays, and every topic starts over with a snapshot.
 */
export class LiveClient {
  readonly #options: LiveClientOptions;
  readonly #byKey = new Map<string, Subscription>();
  readonly #byId = new Map<number, Subscription>();
  readonly #statusListeners = new Set<() => void>();
  #socket: Socket | null = null;
  #status: LiveStatus = 'connecting';
  #nextId = 1;
  #failures = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #running = false;

  constructor(options: LiveClientOptions) {
    this.#options = options;
  }

  get status(): LiveStatus {
    return this.#status;
  }

  onStatus(listener: () => void): () => void {
    this.#statusListeners.add(listener);
    return () => this.#statusListeners.delete(listener);
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#connect();
  }

  stop(): void {
    this.#running = false;
    clearTimeout(this.#retry);
    clearTimeout(this.#silence);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
  }

  /** Tries again at once: the network is back, or the tab is seen again. */
  wake(): void {
    if (!this.#running || this.#socket) return;
    clearTimeout(this.#retry);
    this.#connect();
  }

  subscribe(topic: Topic, listener: TopicListener): () => void {
    const key = keyOf(topic);
    let subscription = this.#byKey.get(key);
    if (subscription?.fresh) {
      // A second listener: start over under a new id, so that both get a snapshot.
      this.#forget(subscription);
      this.#adopt(subscription);
    } else if (!subscription) {
      subscription = { id: 0, topic, listeners: new Set(), seq: 0, fresh: false };
      this.#byKey.set(key, subscription);
      this.#adopt(subscription);
    }
    subscription.listeners.add(listener);
    const joined = subscription;
    return () => {
      joined.listeners.delete(listener);
      if (joined.listeners.size > 0 || this.#byKey.get(key) !== joined) return;
      this.#byKey.delete(key);
      this.#forget(joined);
    };
  }

  /** Asks for the topic under a new id; without a line it waits for `onopen`. */
  #adopt(subscription: Subscription): void {
    subscription.seq = 0;
    subscription.fresh = false;
    if (this.#socket?.readyState !== kOpen) return;
    subscription.id = this.#nextId++;
    this.#byId.set(subscription.id, subscription);
    this.#send({ subscribe: subscription.id, ...subscription.topic });
  }

  #forget(subscription: Subscription): void {
    this.#byId.delete(subscription.id);
    this.#send({ unsubscribe: subscription.id });
  }

  #send(message: object): void {
    if (this.#socket?.readyState === kOpen) this.#socket.send(JSON.stringify(message));
  }

  #connect(): void {
    const socket = this.#options.open();
    this.#socket = socket;
    socket.onopen = () => {
      if (socket !== this.#socket) return;
      this.#failures = 0;
      this.#byId.clear();
      for (const subscription of this.#byKey.values()) this.#adopt(subscription);
      this.#setStatus('live');
      this.#heard();
    };
    socket.onmessage = (event) => {
      if (socket !== this.#socket) return;
      this.#heard();
      this.#receive(JSON.parse(event.data) as Message);
    };
    socket.onclose = (event) => {
      if (socket !== this.#socket) return;
      this.#lost(event.code === kSessionEnded ? 'signedOut' : 'stale');
    };
  }

  #lost(status: LiveStatus): void {
    clearTimeout(this.#silence);
    this.#socket = null;
    for (const subscription of this.#byKey.values()) this.#staleNow(subscription);
    this.#setStatus(status);
    if (!this.#running || status === 'signedOut') return;
    const ceiling = Math.min(kMaxDelayMs, kFirstDelayMs * 2 ** this.#failures);
    const random = this.#options.random ?? Math.random;
    this.#failures += 1;
    this.#retry = setTimeout(() => this.#connect(), ceiling / 2 + (random() * ceiling) / 2);
  }

  /** A browser does not tell of a line that died in silence, so the hub is asked now and then. */
  #heard(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      const socket = this.#socket;
      this.#options.probe().then((alive) => {
        if (socket !== this.#socket || !socket) return;
        if (alive) this.#heard();
        else {
          socket.onclose = null;
          socket.close();
          this.#lost('stale');
        }
      });
    }, kSilenceMs);
  }

  #receive(message: Message): void {
    const subscription = this.#byId.get(message.id);
    if (!subscription) return;
    switch (message.type) {
      case 'snapshot':
        subscription.seq = message.seq ?? 1;
        subscription.fresh = true;
        for (const listener of subscription.listeners)
          listener.onSnapshot(message.data as unknown[]);
        return;
      case 'delta':
        if (!subscription.fresh) return;
        if (message.seq !== subscription.seq + 1) {
          // The hub numbers without holes; a hole means that we missed something.
          this.#staleNow(subscription);
          this.#forget(subscription);
          this.#adopt(subscription);
          return;
        }
        subscription.seq = message.seq;
        for (const listener of subscription.listeners) listener.onDelta(message.data);
        return;
      case 'gap':
        this.#staleNow(subscription);
        return;
      case 'error':
        if (message.error)
          for (const listener of subscription.listeners) listener.onError?.(message.error);
    }
  }

  #staleNow(subscription: Subscription): void {
    subscription.fresh = false;
    for (const listener of subscription.listeners) listener.onStale?.();
  }

  #setStatus(status: LiveStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    for (const listener of this.#statusListeners) listener();
  }
}
