import { Button, NativeSelect } from '@mantine/core';
import { type InfiniteData, useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { api, ask, type Schemas } from '@/shared/api';
import { formatCount, formatMoment, formatSpan } from '@/shared/format';
import { useTopic } from '@/shared/live';
import { EmptyState, ErrorMessage, Loading, Panel, TableScroll, ui } from '@/shared/ui';
import { pipelineKeys, type Run } from '../data';
import { isTrigger } from '../graph/model';
import { useThisPipeline } from '../PipelinePage';
import classes from '../pipelines.module.css';
import { RunBadge } from '../status';
import { RunActions } from './RunActions';

type RunStatus = Schemas['RunStatus'];
type RunList = Schemas['RunList'];

const statuses: RunStatus[] = [
  'running',
  'completed',
  'completed_with_errors',
  'failed',
  'cancelled',
];

/** How long a run took, or has been at work so far, in milliseconds. */
export const lengthOf = (run: Run, now: number): number =>
  Math.max(0, (run.endedAt ? Date.parse(run.endedAt) : now) - Date.parse(run.startedAt));

// What a page that stays open gathers by itself; what is older is asked for.
const kShown = 500;

function put(data: InfiniteData<RunList>, run: Run): InfiniteData<RunList> {
  const known = data.pages.some((page) => page.items.some((one) => one.id === run.id));
  const pages = data.pages.map((page, place) => ({
    ...page,
    items: known
      ? page.items.map((one) => (one.id === run.id ? run : one))
      : place === 0
        ? [run, ...page.items].slice(0, kShown)
        : page.items,
  }));
  return { ...data, pages };
}

function Table({ runs }: { runs: Run[] }) {
  const { t } = useTranslation();
  return (
    <TableScroll>
      <table className={`${ui.table} ${ui.rows}`}>
        <thead>
          <tr>
            <th scope="col">{t('common.status')}</th>
            <th scope="col">{t('runs.started')}</th>
            <th scope="col">{t('runs.duration')}</th>
            <th scope="col">{t('runs.trigger')}</th>
            <th scope="col" data-number>
              {t('runs.batches')}
            </th>
            <th scope="col" data-number>
              {t('pipelines.in')}
            </th>
            <th scope="col" data-number>
              {t('pipelines.out')}
            </th>
            <th scope="col" data-number>
              {t('pipelines.errors')}
            </th>
            <th scope="col">{t('common.actions')}</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.id}>
              <td>
                <RunBadge status={run.status} />
              </td>
              <td className={ui.nowrap}>
                <Link to={run.id}>{formatMoment(run.startedAt)}</Link>
              </td>
              <td className={ui.nowrap}>{formatSpan(lengthOf(run, Date.now()), t)}</td>
              <td className={ui.mono}>{run.trigger}</td>
              <td data-number>
                {formatCount((run.detail as { batches?: number } | null)?.batches ?? 1)}
              </td>
              <td data-number>{formatCount(run.recordsIn)}</td>
              <td data-number>{formatCount(run.recordsOut)}</td>
              <td data-number data-some={run.errors > 0} className={classes.errors}>
                {formatCount(run.errors)}
              </td>
              <td>
                <RunActions run={run} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

/** The runs of a pipeline, newest first, those at work included and kept up to date. */
export default function RunsTab() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { id, nodes } = useThisPipeline();
  const [status, setStatus] = useState<RunStatus | ''>('');
  const [trigger, setTrigger] = useState('');
  const key = [...pipelineKeys.runs(id), status, trigger];
  const runs = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) =>
      ask(
        api.GET('/pipelines/{id}/runs', {
          params: {
            path: { id },
            query: {
              limit: 50,
              cursor: pageParam,
              ...(status ? { status } : {}),
              ...(trigger ? { trigger } : {}),
            },
          },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
  });
  const take = (run: Run) => {
    if ((status && run.status !== status) || (trigger && run.trigger !== trigger)) return;
    client.setQueryData<InfiniteData<RunList>>(key, (old) => old && put(old, run));
  };
  useTopic(
    { topic: 'runs', pipelineId: id },
    {
      onSnapshot: (list) => {
        for (const run of (list as Run[]).toReversed()) take(run);
      },
      onDelta: (run) => take(run as Run),
    },
  );
  if (runs.error) return <ErrorMessage error={runs.error} onRetry={() => void runs.refetch()} />;
  if (!runs.data) return <Loading />;
  const items = runs.data.pages.flatMap((page) => page.items);
  const triggers = nodes.filter(isTrigger);
  return (
    <Panel
      flush
      aside={
        <div className={classes.controls}>
          <NativeSelect
            size="xs"
            aria-label={t('runs.filterStatus')}
            value={status}
            data={[
              { value: '', label: t('runs.anyStatus') },
              ...statuses.map((one) => ({ value: one, label: t(`pipelines.runStatus.${one}`) })),
            ]}
            onChange={(event) => setStatus(event.currentTarget.value as RunStatus | '')}
          />
          {triggers.length > 1 && (
            <NativeSelect
              size="xs"
              aria-label={t('runs.filterTrigger')}
              value={trigger}
              data={[
                { value: '', label: t('runs.anyTrigger') },
                ...triggers.map((one) => ({ value: one.id, label: one.id })),
              ]}
              onChange={(event) => setTrigger(event.currentTarget.value)}
            />
          )}
        </div>
      }
    >
      {items.length > 0 ? (
        <Table runs={items} />
      ) : (
        <EmptyState title={t('runs.empty')} text={t('runs.emptyText')} />
      )}
      {runs.hasNextPage && (
        <div className={classes.foot}>
          <Button
            variant="default"
            loading={runs.isFetchingNextPage}
            onClick={() => void runs.fetchNextPage()}
          >
            {t('runs.older')}
          </Button>
        </div>
      )}
    </Panel>
  );
}
