import { Button, Switch } from '@mantine/core';
import { IconBell, IconPlus, IconSend } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { api, ask } from '@/shared/api';
import { formatCount } from '@/shared/format';
import {
  Ago,
  EmptyState,
  ErrorMessage,
  Loading,
  notifyDone,
  Panel,
  TableScroll,
  ui,
} from '@/shared/ui';
import { ConfirmDialog } from '@/shared/ui/ConfirmDialog';
import { healthKeys, useChange } from '../data';
import { targetWords } from '../form/targets';
import classes from '../health.module.css';
import type { Notice } from './schema';
import { TestResult } from './TestResult';

/** What it tells: statuses and kinds of alarms. */
function Subjects({ notice }: { notice: Notice }) {
  const { t } = useTranslation();
  const { to = [], alarms = [] } = notice.filter;
  const changes =
    to.length > 0
      ? to.map((status) => t(`status.${status}`)).join(', ')
      : alarms.length > 0
        ? ''
        : t('health.notices.everyChange');
  return (
    <>
      {changes}
      {alarms.length > 0 && (
        <div>
          {t('health.notices.alarms')}: {alarms.join(', ')}
        </div>
      )}
      <div className={classes.small}>{targetWords(notice.filter, t)}</div>
    </>
  );
}

function Row({ notice, onDelete }: { notice: Notice; onDelete: () => void }) {
  const { t } = useTranslation();
  const { id, name, status } = notice;
  const path = { id };
  const enable = useChange(healthKeys.notices, (enabled: boolean) =>
    ask(
      api.PATCH('/notices/{id}', {
        params: { path, header: { 'If-Match': `"${notice.version}"` } },
        body: { enabled },
      }),
    ),
  );
  const test = useMutation({
    mutationFn: () => ask(api.POST('/notices/{id}/test', { params: { path } })),
  });
  return (
    <>
      <tr>
        <td>
          <Link className={classes.strong} to={`/health/notices/${id}`}>
            {name}
          </Link>
          <div className={`${ui.mono} ${classes.small}`}>{notice.url}</div>
        </td>
        <td>
          <Subjects notice={notice} />
        </td>
        <td>
          {status.lastDelivery ? <Ago at={status.lastDelivery} /> : t('common.never')}
          {status.lastError && <div className={classes.bad}>{status.lastError.message}</div>}
        </td>
        <td className={ui.nowrap}>
          {t('health.notices.counts', {
            delivered: formatCount(status.delivered),
            pending: formatCount(status.pending),
            failed: formatCount(status.failed + status.dropped),
          })}
        </td>
        <td>
          <Switch
            size="xs"
            aria-label={t('health.form.enable', { name })}
            checked={notice.enabled}
            disabled={enable.isPending}
            onChange={(event) => enable.mutate(event.currentTarget.checked)}
          />
        </td>
        <td>
          <span className={classes.controls}>
            <Button
              size="compact-xs"
              variant="default"
              leftSection={<IconSend size={12} />}
              aria-label={t('health.notices.testOf', { name })}
              loading={test.isPending}
              onClick={() => test.mutate()}
            >
              {t('health.notices.test')}
            </Button>
            <Button
              size="compact-xs"
              variant="subtle"
              color="red"
              aria-label={t('health.form.delete', { name })}
              onClick={onDelete}
            >
              {t('common.delete')}
            </Button>
          </span>
        </td>
      </tr>
      {(test.data || test.error) && (
        <tr>
          <td colSpan={6}>
            {test.data && <TestResult result={test.data} />}
            {test.error && <ErrorMessage error={test.error} />}
          </td>
        </tr>
      )}
    </>
  );
}

/** Who is told of what, and whether the messages arrive. */
export default function NoticesTab() {
  const { t } = useTranslation();
  const [deleting, setDeleting] = useState<Notice | null>(null);
  const { data, error, refetch } = useQuery({
    queryKey: healthKeys.notices,
    queryFn: async () =>
      (await ask(api.GET('/notices', { params: { query: { limit: 1000 } } }))).items,
    refetchInterval: 15_000,
  });
  const remove = useChange(healthKeys.notices, async ({ id, name }: Notice) => {
    await ask(api.DELETE('/notices/{id}', { params: { path: { id } } }));
    notifyDone(t('health.form.deleted', { name }));
    setDeleting(null);
  });
  if (error && !data) return <ErrorMessage error={error} onRetry={() => void refetch()} />;
  if (!data) return <Loading />;
  const add = (
    <Button
      component={Link}
      size="xs"
      to="/health/notices/new"
      leftSection={<IconPlus size={14} />}
    >
      {t('health.notices.add')}
    </Button>
  );
  return (
    <Panel flush title={t('health.notices.title')} aside={data.length > 0 ? add : undefined}>
      {data.length === 0 ? (
        <EmptyState
          icon={<IconBell size={40} stroke={1.2} aria-hidden />}
          title={t('health.notices.empty')}
          text={t('health.notices.emptyText')}
          action={add}
        />
      ) : (
        <TableScroll>
          <table className={`${ui.table} ${ui.stacked}`}>
            <thead>
              <tr>
                <th scope="col">{t('common.name')}</th>
                <th scope="col">{t('health.notices.tells')}</th>
                <th scope="col">{t('health.notices.lastDelivery')}</th>
                <th scope="col">{t('health.notices.messages')}</th>
                <th scope="col">{t('health.form.enabled')}</th>
                <th scope="col">{t('common.actions')}</th>
              </tr>
            </thead>
            <tbody>
              {data.map((notice) => (
                <Row key={notice.id} notice={notice} onDelete={() => setDeleting(notice)} />
              ))}
            </tbody>
          </table>
        </TableScroll>
      )}
      {deleting && (
        <ConfirmDialog
          title={t('health.form.deleteTitle', { name: deleting.name })}
          action={t('common.delete')}
          pending={remove.isPending}
          error={null}
          onConfirm={() => remove.mutate(deleting)}
          onClose={() => setDeleting(null)}
        >
          {t('health.notices.deleteText')}
        </ConfirmDialog>
      )}
    </Panel>
  );
}
