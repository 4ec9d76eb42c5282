import { Text } from '@mantine/core';
import { IconCircleCheck, IconCircleX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Schemas } from '@/shared/api';
import { StatusBadge } from '@/shared/status';
import { Message, TableScroll, ToneBadge, ui } from '@/shared/ui';
import { Dialog } from '@/shared/ui/Dialog';

// More rows than anybody reads; the counts above tell the rest.
const kShown = 200;

interface BulkOutcomeProps {
  action: Schemas['BulkRequest']['action'];
  result: Schemas['BulkResult'];
  onClose: () => void;
}

/** What became of each connection; what was refused comes first. */
export function BulkOutcome({ action, result, onClose }: BulkOutcomeProps) {
  const { t } = useTranslation();
  const items = result.items.toSorted((a, b) => Number(a.ok) - Number(b.ok));
  return (
    <Dialog size="lg" onClose={onClose} title={t(`bulk.outcome.${action}`)}>
      <Message tone={result.failed > 0 ? 'warn' : 'good'}>
        {t('bulk.counts', { succeeded: result.succeeded, failed: result.failed })}
      </Message>
      <TableScroll>
        <table className={ui.table}>
          <thead>
            <tr>
              <th scope="col">{t('bulk.result')}</th>
              <th scope="col">{t('common.name')}</th>
              <th scope="col">{t('bulk.now')}</th>
            </tr>
          </thead>
          <tbody>
            {items.slice(0, kShown).map(({ id, name, ok, state, error }) => (
              <tr key={id}>
                <td className={ui.nowrap}>
                  <ToneBadge
                    plain
                    tone={ok ? 'good' : 'bad'}
                    icon={ok ? IconCircleCheck : IconCircleX}
                  >
                    {t(ok ? 'bulk.done' : 'bulk.refused')}
                  </ToneBadge>
                </td>
                <td>{name ?? id}</td>
                <td>
                  {error ? (
                    <>
                      {error.message} {error.hint}
                    </>
                  ) : (
                    state && <StatusBadge plain status={state.status} />
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableScroll>
      {items.length > kShown && (
        <Text size="sm" c="dimmed">
          {t('bulk.more', { count: items.length - kShown })}
        </Text>
      )}
    </Dialog>
  );
}
