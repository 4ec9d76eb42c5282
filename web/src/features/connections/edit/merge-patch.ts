import { isObject } from '@/shared/form';

/** What a merge patch (RFC 7396) must say to make `after` out of `before`; members that are gone are null. */
export function mergePatch(before: object, after: object): Record<string, unknown> {
  const old = before as Record<string, unknown>;
  const patch: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(after)) {
    const was = old[name];
    if (isObject(value) && isObject(was)) {
      const inner = mergePatch(was, value);
      if (Object.keys(inner).length > 0) patch[name] = inner;
    } else if (JSON.stringify(value) !== JSON.stringify(was)) patch[name] = value;
  }
  for (const name of Object.keys(old)) if (!(name in after)) patch[name] = null;
  return patch;
}

export interface Change {
  pointer: string;
  from: unknown;
  to: unknown;
}

/** The differences of two documents, leaf by leaf. */
export function changesOf(before: unknown, after: unknown, pointer = ''): Change[] {
  if (isObject(before) && isObject(after))
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) =>
      changesOf(before[name], after[name], `${pointer}/${name}`),
    );
  return JSON.stringify(before) === JSON.stringify(after)
    ? []
    : [{ pointer, from: before, to: after }];
}
