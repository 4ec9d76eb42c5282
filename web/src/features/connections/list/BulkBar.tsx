import { Button } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Schemas } from '@/shared/api';
import { type BulkRequest, useBulkCommand } from '@/shared/data/connections';
import { notifyFailed, useErrorText } from '@/shared/ui';
import { ConfirmDialog } from '@/shared/ui/ConfirmDialog';
import { ImpactPreview } from '../commands/ImpactPreview';
import { SuspendDialog } from '../commands/SuspendDialog';
import { BulkOutcome } from './BulkOutcome';
import classes from './list.module.css';

type Order = Omit<BulkRequest, 'connectionIds'>;

interface Done {
  action: BulkRequest['action'];
  result: Schemas['BulkResult'];
}

/** What can be done with the connections that are chosen. */
export default function BulkBar({ ids, onClear }: { ids: readonly string[]; onClear: () => void }) {
  const { t } = useTranslation();
  const errorText = useErrorText();
  const command = useBulkCommand();
  const [dialog, setDialog] = useState<'suspend' | 'stop' | null>(null);
  const [done, setDone] = useState<Done | null>(null);
  const close = () => setDialog(null);
  const run = (order: Order) =>
    command.mutate(
      { ...order, connectionIds: [...ids] },
      {
        onSuccess: (result) => {
          close();
          setDone({ action: order.action, result });
        },
        onError: (error) => {
          if (!dialog) notifyFailed(t('error.failed'), errorText(error).message);
        },
      },
    );
  const open = (which: 'suspend' | 'stop') => {
    command.reset();
    setDialog(which);
  };
  // Not `disabled`, which would take the focus from the button that the outcome gives it back to.
  const { isPending } = command;
  const button = (text: string, onClick: () => void) => (
    <Button
      size="compact-sm"
      variant="default"
      aria-disabled={isPending}
      data-disabled={isPending || undefined}
      onClick={() => !isPending && onClick()}
    >
      {text}
    </Button>
  );
  return (
    <section className={classes.bulk} aria-label={t('bulk.label')}>
      <span className={classes.bulkCount} role="status">
        {t('bulk.chosen', { count: ids.length })}
      </span>
      {button(t('connection.start'), () => run({ action: 'start' }))}
      {button(t('connection.stop'), () => open('stop'))}
      {button(t('connection.restart'), () => run({ action: 'restart' }))}
      {button(t('connection.suspend'), () => open('suspend'))}
      {button(t('connection.resumeAndStart'), () => run({ action: 'resume', start: true }))}
      {button(t('connection.resume'), () => run({ action: 'resume', start: false }))}
      <Button size="compact-sm" variant="subtle" color="gray" onClick={onClear}>
        {t('bulk.clear')}
      </Button>
      {dialog === 'suspend' && (
        <SuspendDialog
          title={t('bulk.suspendTitle', { count: ids.length })}
          ids={ids}
          pending={command.isPending}
          error={command.error}
          onClose={close}
          onSuspend={(suspend) => run({ action: 'suspend', ...suspend })}
        />
      )}
      {dialog === 'stop' && (
        <ConfirmDialog
          title={t('bulk.stopTitle', { count: ids.length })}
          action={t('connection.stop')}
          pending={command.isPending}
          error={command.error}
          onConfirm={() => run({ action: 'stop' })}
          onClose={close}
        >
          <ImpactPreview ids={ids} />
        </ConfirmDialog>
      )}
      {done && <BulkOutcome {...done} onClose={() => setDone(null)} />}
    </section>
  );
}
