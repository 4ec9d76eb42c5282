import { describe, expect, it } from 'vitest';
import { summary } from '@/shared/testing/health';
import { figuresCsv } from './figures-csv';

const bounds = { from: Date.parse('2026-11-21T12:00:00Z'), to: Date.parse('2026-11-22T12:00:00Z') };

describe('figures as a file', () => {
  it('have a line for each connection, and every line names the period', () => {
    const [head, line, ...rest] = figuresCsv([summary({ failureCount: 2 })], bounds).split('\r\n');
    const value = (name: string) => line?.split(',')[head?.split(',').indexOf(name) ?? -1];
    expect(value('from')).toBe('2026-11-21T12:00:00.000Z');
    expect(value('name')).toBe('Filler');
    expect(value('failureCount')).toBe('2');
    expect(value('openOutageSeconds')).toBe('');
    expect(rest).toEqual(['']);
  });

  it('are no way into a spreadsheet for a name that is a formula', () => {
    const text = figuresCsv([summary({ name: '=cmd|"/c calc"!A1, x' })], bounds);
    expect(text).toContain(`"'=cmd|""/c calc""!A1, x"`);
  });
});
