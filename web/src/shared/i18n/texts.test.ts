import { describe, expect, it } from 'vitest';
import { de } from './de';
import { en } from './en';

const flat = (texts: object, path = ''): [string, string][] =>
  Object.entries(texts).flatMap(([key, value]) =>
    typeof value === 'string' ? [[`${path}${key}`, value]] : flat(value, `${path}${key}.`),
  );

const english = new Map(flat(en));
const german = new Map(flat(de));

/** Words that are the same in both: names, units, terms that the German plant floor says in English. */
const kSame =
  /^(API|Administrator|Alarme?|Audit|Code|CSV|Debug|Details|Editor|Export|Filter|Format|Graph|Gateway|Host|Import|Index|Info|JSON|Kind|Label|Labels|Live|Log|Name|Navigation|Normal|Online|Operator|Parameter|Parameters|Payload|Pipeline|Pipelines|Port|Quality|SHA-|Spool|Status|Start|System|Test|Text|Threads|Token|Topic|Tributary|URL|UTC|Version|YAML|curl|in|max|min|h|d|ms|s|undefined)$/;

describe('the German texts', () => {
  it('are all there, and no others', () => {
    expect([...german.keys()].sort()).toEqual([...english.keys()].sort());
  });

  it('are translated', () => {
    const left = [...english].filter(([key, text]) => {
      const words = text.replaceAll(/\{\{[^}]*\}\}/g, '').match(/[A-Za-z][A-Za-z-]+/g) ?? [];
      return german.get(key) === text && words.some((word) => !kSame.test(word));
    });
    expect(left).toEqual([]);
  });

  it('take the same values', () => {
    const values = (text: string) => (text.match(/\{\{[^}]*\}\}/g) ?? []).sort();
    const wrong = [...english].filter(([key, text]) => {
      const other = german.get(key);
      return other !== undefined && `${values(text)}` !== `${values(other)}`;
    });
    expect(wrong).toEqual([]);
  });

  it('are not empty', () => {
    expect([...german].filter(([, text]) => text.trim() === '')).toEqual([]);
  });
});
