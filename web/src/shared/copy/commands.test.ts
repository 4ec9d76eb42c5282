import { describe, expect, it, vi } from 'vitest';
import { connection, FakeHub, page } from '@/shared/testing/fake-hub';
import { applyCommand, curlCommand, documentYaml } from './commands';
import { connectionDocument, windowDocument } from './documents';
import { toYaml } from './yaml';

const origin = 'https://hub.example:8443';

describe('a request as curl', () => {
  it('has the address and a variable in the place of the token', () => {
    expect(curlCommand({ method: 'GET', path: '/connections/c1' }, origin)).toBe(
      [
        'curl --fail-with-body \\',
        '  --header "Authorization: Bearer $TRIBUTARY_TOKEN" \\',
        "  'https://hub.example:8443/api/v1/connections/c1'\n",
      ].join('\n'),
    );
  });

  it('quotes what a shell would take apart', () => {
    const text = curlCommand(
      { method: 'POST', path: '/connections/c1/suspend', body: { reason: "don't $(touch it)" } },
      origin,
    );
    expect(text).toContain(`--data '{"reason":"don'\\''t $(touch it)"}'`);
    expect(text).toContain('--request POST');
  });

  it('says that an edit is meant for whatever version is there', () => {
    expect(curlCommand({ method: 'PATCH', path: '/x', body: {} }, origin)).toContain('If-Match: *');
  });
});

describe('YAML', () => {
  it('nests maps and lists', () => {
    expect(toYaml({ a: { b: [1, { c: true, d: [] }], e: {} }, f: null })).toBe(
      'a:\n  b:\n    - 1\n    - c: true\n      d: []\n  e: {}\nf: null\n',
    );
  });

  it('nests lists in lists', () => {
    expect(toYaml([[1, 2], [[3]]])).toBe('- - 1\n  - 2\n- - - 3\n');
  });

  it.each([
    ['plain text', 'plain text'],
    ['true', '"true"'],
    ['No', '"No"'],
    ['12', '"12"'],
    ['1e3', '"1e3"'],
    ['', '""'],
    ['a: b', '"a: b"'],
    ['a #b', '"a #b"'],
    ['- a', '"- a"'],
    ['{{ $input.x }}', '"{{ $input.x }}"'],
    ['two\nlines', '"two\\nlines"'],
    [' space', '" space"'],
    ['space ', '"space "'],
    ['über', '"über"'],
  ])('writes the text %j as %s', (text, written) => {
    expect(toYaml({ text })).toBe(`text: ${written}\n`);
  });

  it('quotes keys as it quotes texts', () => {
    expect(toYaml({ 'a: b': 1, on: 2 })).toBe('"a: b": 1\n"on": 2\n');
  });
});

describe('a document', () => {
  const document = { notes: ['Set again:\nthe secret'], connections: [{ name: 'END' }] };

  it('begins with its notes, each a comment of one line', () => {
    expect(documentYaml(document)).toBe('# Set again: the secret\nconnections:\n  - name: END\n');
  });

  it('becomes a command whose end mark is no line of the document', () => {
    expect(applyCommand({ connections: [{ name: 'x' }] }, origin)).toBe(
      "tributary apply - --url 'https://hub.example:8443' <<'END'\nconnections:\n  - name: x\nEND\n",
    );
  });
});

describe('what the hub has, as a document', () => {
  it('names the connections of a maintenance window, and leaves out what the hub adds', async () => {
    new FakeHub().on('GET /connections', [
      200,
      page(connection(), connection({ id: 'c2', name: 'Press' })),
    ]);
    const window = {
      id: 'w1',
      version: 2,
      name: 'Sunday updates',
      description: '',
      reason: 'PLC firmware',
      timeZone: 'Europe/Istanbul',
      schedule: { kind: 'weekly', days: ['sun'], at: '02:00', durationMinutes: 120 },
      targets: { connectionIds: ['c2'] },
      enabled: true,
      createdAt: '2026-11-22T09:00:00Z',
      updatedAt: '2026-11-22T09:00:00Z',
      state: { active: null, next: null, suspended: 0 },
    } as unknown as Parameters<typeof windowDocument>[0];
    const text = documentYaml(await windowDocument(window));
    expect(text).toContain('targets:\n      connections:\n        - Press\n');
    expect(text).not.toMatch(/c2|version|createdAt|state/);
    vi.unstubAllGlobals();
  });

  it('never holds a secret: it says which ones are to be set again', async () => {
    new FakeHub().on('GET /connections/c1/functions', [200, page()]);
    const secrets = { password: { set: true, changedAt: null } };
    const text = documentYaml(await connectionDocument(connection({ secrets })));
    expect(text).toMatch(/^# Set again by hand: the secret "password" of "Filler"\.\n/);
    expect(text).not.toMatch(/secrets:/);
    vi.unstubAllGlobals();
  });
});
