/** How times are told: as an age where that says more, in the browser's zone, or in UTC. */
export type Times = 'relative' | 'local' | 'utc';

interface Conventions {
  /** A BCP 47 tag: how numbers and dates are written. */
  locale: string;
  times: Times;
}

// What shared/preferences was told; everything that formats asks here.
let current: Conventions = { locale: 'en-GB', times: 'relative' };
const made = new Map<string, unknown>();

export const conventions = (): Readonly<Conventions> => current;

export function setConventions(next: Conventions): void {
  current = next;
  made.clear();
}

/** A formatter of the conventions of now, made once: making one costs a hundred times what using it does. */
export function kept<T>(name: string, make: (conventions: Conventions) => T): T {
  const found = made.get(name) as T | undefined;
  if (found !== undefined) return found;
  const fresh = make(current);
  made.set(name, fresh);
  return fresh;
}
