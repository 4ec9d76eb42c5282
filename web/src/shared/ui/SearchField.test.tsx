import { act, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { expect, it } from 'vitest';
import { renderUi } from '@/shared/testing/render';
import { SearchField } from './SearchField';

/** Keeps what is searched for where it arrives late, one after the other, as an address does. */
const late: ((value: string) => void)[] = [];
const sent: string[] = [];

function Late() {
  const [value, setValue] = useState('');
  late[0] = setValue;
  return <SearchField label="search" value={value} onChange={(next) => sent.push(next)} />;
}

it('keeps what is typed while its value follows late, and takes what comes from elsewhere', async () => {
  renderUi(<Late />);
  const field = screen.getByLabelText('search');
  await userEvent.type(field, 'pump');
  expect(field).toHaveValue('pump');
  expect(sent).toEqual(['p', 'pu', 'pum', 'pump']);
  for (const echo of ['pu', 'pump']) {
    act(() => late[0]?.(echo));
    expect(field).toHaveValue('pump');
  }
  act(() => late[0]?.('filler'));
  expect(field).toHaveValue('filler');
  await userEvent.click(screen.getByRole('button', { name: 'Empty the search' }));
  expect(field).toHaveValue('');
  act(() => late[0]?.(''));
  act(() => late[0]?.('pump'));
  expect(field).toHaveValue('pump');
});
