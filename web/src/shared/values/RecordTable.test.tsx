import { render, screen, within } from '@testing-library/react';
import { expect, it } from 'vitest';
import { RecordTable } from './RecordTable';

it('has a row for each record and a column for every member that one of them has', () => {
  render(
    <RecordTable
      records={[
        { number: 2, record: { level: 4.5, alarm: { high: true }, $meta: { time: 'now' } } },
        { number: 1, record: { level: null, note: 'started' } },
      ]}
    />,
  );
  const texts = (row: HTMLElement, role: string) =>
    within(row)
      .getAllByRole(role)
      .map((cell) => cell.textContent);
  const [head, first, second] = screen.getAllByRole('row');
  if (!head || !first || !second) throw new Error('There are fewer than three rows.');
  expect(texts(head, 'columnheader')).toEqual(['level', 'alarm.high', 'note']);
  expect(texts(first, 'cell')).toEqual(['4.5', 'true', '']);
  expect(texts(second, 'cell')).toEqual(['–', '', 'started']);
});
