import { LiveClient, type Socket } from '@/shared/live/client';

/** A WebSocket in the hands of a test. */
export class FakeSocket implements Socket {
  readyState = 0;
  readonly sent: Record<string, unknown>[] = [];
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent<string>) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.readyState = 3;
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.(new Event('open'));
  }

  /** The hub says something. */
  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) } as MessageEvent<string>);
  }

  drop(code = 1006): void {
    this.readyState = 3;
    this.onclose?.({ code } as CloseEvent);
  }

  /** The id under which a topic is subscribed now. */
  idOf(topic: string): number {
    const last = this.sent.filter((message) => message.topic === topic).at(-1);
    if (!last) throw new Error(`${topic} was not subscribed`);
    return Number(last.subscribe);
  }
}

/** A live client whose lines are FakeSockets; the last one is the one in use. */
export function fakeLive(probe: () => Promise<boolean> = async () => true) {
  const sockets: FakeSocket[] = [];
  const client = new LiveClient({
    open: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    probe,
    random: () => 1,
  });
  return {
    client,
    sockets,
    get socket(): FakeSocket {
      const last = sockets.at(-1);
      if (!last) throw new Error('The client has opened no line');
      return last;
    },
  };
}
