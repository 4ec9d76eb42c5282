import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { expect, it } from 'vitest';
import { renderUi } from '@/shared/testing/render';
import { Dialog } from './Dialog';

function Opener({ stays }: { stays: boolean }) {
  const [open, setOpen] = useState(false);
  return (
    <main id="content" tabIndex={-1}>
      {(stays || !open) && (
        <button type="button" onClick={() => setOpen(true)}>
          opener
        </button>
      )}
      {open && (
        <Dialog title="question" onClose={() => setOpen(false)}>
          <input aria-label="answer" data-autofocus />
        </Dialog>
      )}
    </main>
  );
}

it('takes the focus, gives it back to what opened it, and closes by Escape', async () => {
  renderUi(<Opener stays />);
  const opener = screen.getByRole('button', { name: 'opener' });
  opener.focus();
  await userEvent.keyboard('{Enter}');
  await waitFor(() => expect(screen.getByLabelText('answer')).toHaveFocus());
  await userEvent.keyboard('{Escape}');
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  expect(opener).toHaveFocus();
});

it('leaves the focus at the content where its opener is gone', async () => {
  renderUi(<Opener stays={false} />);
  screen.getByRole('button', { name: 'opener' }).focus();
  await userEvent.keyboard('{Enter}');
  await waitFor(() => expect(screen.getByLabelText('answer')).toHaveFocus());
  await userEvent.keyboard('{Escape}');
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  expect(screen.getByRole('main')).toHaveFocus();
});
