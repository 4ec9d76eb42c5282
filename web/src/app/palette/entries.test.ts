import { describe, expect, it } from 'vitest';
import { i18n } from '@/shared/i18n';
import { connection, hubFunction, state } from '@/shared/testing/fake-hub';
import { allEntries, matching } from './entries';

const filler = connection({ id: 'c1', name: 'Filler', labels: { line: '3' } });
const capper = connection({ id: 'c2', name: 'Capper', labels: {}, state: state('Suspended') });
const entries = allEntries(
  {
    pages: [{ to: '/connections', label: 'Connections' }],
    connections: [filler, capper],
    functions: [hubFunction({ id: 'f1', name: 'Watch', connectionId: 'c2' })],
    pipelines: [],
  },
  i18n.t,
);
const labels = (search: string, recent: string[] = []) =>
  matching(entries, search, recent).map((entry) => entry.label);

describe('the palette', () => {
  it('finds a connection by part of its name, its label and its type', () => {
    expect(labels('fill')[0]).toBe('Filler');
    expect(labels('line:3')).toContain('Filler');
    expect(labels('modbus capp')).toContain('Capper');
  });

  it('offers exactly what the status allows, and the test', () => {
    const of = (search: string) =>
      matching(entries, search, []).filter((entry) => entry.group === 'actions');
    expect(of('filler').map((entry) => entry.label)).toEqual([
      'Stop Filler',
      'Restart Filler',
      'Suspend Filler',
      'Test Filler',
    ]);
    expect(of('capper').map((entry) => entry.label)).toEqual([
      'Resume and start Capper',
      'Resume Capper',
      'Test Capper',
    ]);
  });

  it('finds a function by its connection', () => {
    expect(labels('capper watch')).toEqual(['Watch']);
  });

  it('puts what begins with the words first', () => {
    const many = allEntries(
      {
        pages: [],
        connections: ['A pump', 'Pump', 'B pump'].map((name) => connection({ id: name, name })),
        functions: [],
        pipelines: [],
      },
      i18n.t,
    );
    const [first] = matching(many, 'pump', []);
    expect(first?.label).toBe('Pump');
  });

  it('offers what was visited last while nothing is typed, without what is gone', () => {
    const [first, second] = matching(entries, '', ['/connections/c2', '/connections/gone']);
    expect(first).toMatchObject({ group: 'recent', label: 'Capper' });
    expect(second).toMatchObject({ group: 'pages', label: 'Connections' });
  });

  it('shows a bounded number out of ten thousand', () => {
    const connections = Array.from({ length: 10_000 }, (_, i) =>
      connection({ id: `c${i}`, name: `Pump ${i}` }),
    );
    const many = allEntries({ pages: [], connections, functions: [], pipelines: [] }, i18n.t);
    expect(matching(many, 'pump', []).length).toBeLessThanOrEqual(30);
  });
});
