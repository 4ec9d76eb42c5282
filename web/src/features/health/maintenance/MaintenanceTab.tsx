import { Button, Switch } from '@mantine/core';
import { IconCalendarTime, IconPlayerPause, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { api, ask } from '@/shared/api';
import { formatMoment } from '@/shared/format';
import {
  Ago,
  EmptyState,
  ErrorMessage,
  Loading,
  notifyDone,
  Panel,
  TableScroll,
  ToneBadge,
  ui,
} from '@/shared/ui';
import { ConfirmDialog } from '@/shared/ui/ConfirmDialog';
import { healthKeys, useChange } from '../data';
import { targetWords } from '../form/targets';
import classes from '../health.module.css';
import { scheduleWords, type Window } from './schema';

function Now({ window }: { window: Window }) {
  const { t } = useTranslation();
  const { active, next, suspended } = window.state;
  if (active)
    return (
      <>
        <ToneBadge tone="hold" icon={IconPlayerPause}>
          {t('health.windows.active')}
        </ToneBadge>
        <div className={classes.small}>
          {t('health.windows.suspended', { count: suspended })} · {t('health.windows.ends')}{' '}
          <Ago at={active.to} />
        </div>
      </>
    );
  if (!window.enabled) return <span className={classes.small}>{t('health.windows.disabled')}</span>;
  if (!next) return <span className={classes.small}>{t('health.windows.never')}</span>;
  return (
    <>
      <Ago at={next.from} />
      <div className={classes.small}>
        {formatMoment(next.from)} – {formatMoment(next.to)}
      </div>
    </>
  );
}

function Row({ window, onDelete }: { window: Window; onDelete: () => void }) {
  const { t } = useTranslation();
  const path = { id: window.id };
  const enable = useChange(healthKeys.windows, (enabled: boolean) =>
    ask(
      api.PATCH('/maintenance-windows/{id}', {
        params: { path, header: { 'If-Match': `"${window.version}"` } },
        body: { enabled },
      }),
    ),
  );
  return (
    <tr>
      <td>
        <Link className={classes.strong} to={`/health/maintenance/${window.id}`}>
          {window.name}
        </Link>
        <div className={classes.small}>{window.reason}</div>
      </td>
      <td>
        {scheduleWords(window.schedule, t)}
        <div className={classes.small}>{window.timeZone}</div>
      </td>
      <td>{targetWords(window.targets, t)}</td>
      <td>
        <Now window={window} />
      </td>
      <td>
        <Switch
          size="xs"
          aria-label={t('health.form.enable', { name: window.name })}
          checked={window.enabled}
          disabled={enable.isPending}
          onChange={(event) => enable.mutate(event.currentTarget.checked)}
        />
      </td>
      <td>
        <Button
          size="compact-xs"
          variant="subtle"
          color="red"
          aria-label={t('health.form.delete', { name: window.name })}
          onClick={onDelete}
        >
          {t('common.delete')}
        </Button>
      </td>
    </tr>
  );
}

/** Planned maintenance: when which connections are left alone, and why. */
export default function MaintenanceTab() {
  const { t } = useTranslation();
  const [deleting, setDeleting] = useState<Window | null>(null);
  const { data, error, refetch } = useQuery({
    queryKey: healthKeys.windows,
    queryFn: async () =>
      (await ask(api.GET('/maintenance-windows', { params: { query: { limit: 1000 } } }))).items,
    refetchInterval: 15_000,
  });
  const remove = useChange(healthKeys.windows, async ({ id, name }: Window) => {
    await ask(api.DELETE('/maintenance-windows/{id}', { params: { path: { id } } }));
    notifyDone(t('health.form.deleted', { name }));
    setDeleting(null);
  });
  if (error && !data) return <ErrorMessage error={error} onRetry={() => void refetch()} />;
  if (!data) return <Loading />;
  const add = (
    <Button
      component={Link}
      size="xs"
      to="/health/maintenance/new"
      leftSection={<IconPlus size={14} />}
    >
      {t('health.windows.add')}
    </Button>
  );
  return (
    <Panel flush title={t('health.windows.title')} aside={data.length > 0 ? add : undefined}>
      {data.length === 0 ? (
        <EmptyState
          icon={<IconCalendarTime size={40} stroke={1.2} aria-hidden />}
          title={t('health.windows.empty')}
          text={t('health.windows.emptyText')}
          action={add}
        />
      ) : (
        <TableScroll>
          <table className={`${ui.table} ${ui.rows} ${ui.stacked}`}>
            <thead>
              <tr>
                <th scope="col">{t('common.name')}</th>
                <th scope="col">{t('health.windows.schedule')}</th>
                <th scope="col">{t('health.form.targets')}</th>
                <th scope="col">{t('health.windows.next')}</th>
                <th scope="col">{t('health.form.enabled')}</th>
                <th scope="col">{t('common.actions')}</th>
              </tr>
            </thead>
            <tbody>
              {data.map((window) => (
                <Row key={window.id} window={window} onDelete={() => setDeleting(window)} />
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
          {t('health.windows.deleteText')}
        </ConfirmDialog>
      )}
    </Panel>
  );
}
