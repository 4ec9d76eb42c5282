// Requests that are refused because the session is over wait here, and are sent again when the same person is back: what was
// typed is neither lost nor typed twice.
let waiting: ((back: boolean) => void)[] = [];
let signIns = 0;
const listeners = new Set<() => void>();

/** Told when the hub no longer knows the session. */
export function onSessionEnd(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function announceSessionEnd(): void {
  for (const listener of listeners) listener();
}

/** Somebody has signed in or out. `back`: it is the person whose requests wait, and they are to be sent. */
export function settleSession(back: boolean): void {
  signIns += 1;
  const settled = waiting;
  waiting = [];
  for (const settle of settled) settle(back);
}

function whenBack(): Promise<boolean> {
  if (listeners.size === 0) return Promise.resolve(false);
  const back = new Promise<boolean>((settle) => waiting.push(settle));
  announceSessionEnd();
  return back;
}

/** `send(request)`; when the session turns out to be over, once more after the same person has signed in. */
export async function sendInSession(
  request: Request,
  send: (request: Request) => Promise<Response>,
): Promise<Response> {
  const again = request.clone();
  const before = signIns;
  const answer = await send(request);
  // What is asked to sign in says by 401 that it was refused.
  if (answer.status !== 401 || new URL(request.url).pathname.includes('/auth/')) return answer;
  // A late answer to the session before: there is a new one already.
  if (before !== signIns) return send(again);
  return (await whenBack()) ? send(again) : answer;
}
