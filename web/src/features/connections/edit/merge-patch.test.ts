import { describe, expect, it } from 'vitest';
import { changesOf, mergePatch } from './merge-patch';

describe('a merge patch', () => {
  it('says only what is different, to any depth, and null for what is gone', () => {
    const before = { name: 'a', labels: { line: '3', site: 'x' }, settings: { tls: { on: true } } };
    const after = { name: 'a', labels: { site: 'y' }, settings: { tls: { on: true }, port: 1 } };
    expect(mergePatch(before, after)).toEqual({
      labels: { line: null, site: 'y' },
      settings: { port: 1 },
    });
    expect(mergePatch(after, after)).toEqual({});
  });

  it('replaces lists whole', () => {
    expect(mergePatch({ points: [1, 2] }, { points: [1] })).toEqual({ points: [1] });
  });
});

describe('the differences of two documents', () => {
  it('are told leaf by leaf', () => {
    expect(changesOf({ a: { b: 1, c: 2 } }, { a: { b: 3, d: 4 } })).toEqual([
      { pointer: '/a/b', from: 1, to: 3 },
      { pointer: '/a/c', from: 2, to: undefined },
      { pointer: '/a/d', from: undefined, to: 4 },
    ]);
  });
});
