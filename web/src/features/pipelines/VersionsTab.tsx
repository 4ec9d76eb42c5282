import { Button } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, ask } from '@/shared/api';
import { formatMoment } from '@/shared/format';
import { ErrorMessage, Loading, notifyDone, Panel, TableScroll, ui } from '@/shared/ui';
import { ConfirmDialog } from '@/shared/ui/ConfirmDialog';
import { DiffView } from './DiffView';
import { pipelineKeys, usePutPipeline } from './data';
import { useThisPipeline } from './PipelinePage';
import classes from './pipelines.module.css';

function Compare({ id, from, to }: { id: string; from: string; to: string }) {
  const { t } = useTranslation();
  const { data, error } = useQuery({
    queryKey: pipelineKeys.diff(id, from, to),
    queryFn: () =>
      ask(
        api.GET('/pipelines/{id}/versions/{version}/diff/{other}', {
          params: { path: { id, version: from, other: to } },
        }),
      ),
    // A draft goes on changing under the same name.
    staleTime: to === 'draft' ? 0 : Number.POSITIVE_INFINITY,
  });
  return (
    <Panel
      title={
        to === 'draft'
          ? t('versions.compareDraft', { from })
          : t('versions.compareWith', { from, to })
      }
    >
      {error && <ErrorMessage error={error} />}
      {!data && !error && <Loading />}
      {data && <DiffView diff={data} />}
    </Panel>
  );
}

function RestoreDialog({ version, onClose }: { version: number; onClose: () => void }) {
  const { t } = useTranslation();
  const pipeline = useThisPipeline();
  const put = usePutPipeline();
  const restore = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/pipelines/{id}/versions/{version}/restore', {
          params: {
            path: { id: pipeline.id, version: String(version) },
            header: { 'If-Match': `"${pipeline.version}"` },
          },
        }),
      ),
    onSuccess: (changed) => {
      put(changed);
      notifyDone(t('versions.restored', { version: changed.version }));
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={t('versions.restoreTitle', { version })}
      action={t('versions.restore', { version })}
      pending={restore.isPending}
      error={restore.error}
      onConfirm={() => restore.mutate()}
      onClose={onClose}
    >
      {t('versions.restoreText')}
    </ConfirmDialog>
  );
}

/** Every version with what it changed; each can be made the running one again. */
export default function VersionsTab() {
  const { t } = useTranslation();
  const pipeline = useThisPipeline();
  const { id } = pipeline;
  const [compared, setCompared] = useState<[from: string, to: string] | null>(null);
  const [restoring, setRestoring] = useState<number | null>(null);
  const versions = useInfiniteQuery({
    queryKey: pipelineKeys.versions(id),
    queryFn: ({ pageParam }) =>
      ask(
        api.GET('/pipelines/{id}/versions', {
          params: { path: { id }, query: { limit: 50, cursor: pageParam } },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
  });
  if (versions.error)
    return <ErrorMessage error={versions.error} onRetry={() => void versions.refetch()} />;
  if (!versions.data) return <Loading />;
  const items = versions.data.pages.flatMap((page) => page.items);
  return (
    <>
      <Panel
        flush
        aside={
          pipeline.draft && (
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => setCompared([String(pipeline.version), 'draft'])}
            >
              {t('versions.compareDraft', { from: pipeline.version })}
            </Button>
          )
        }
      >
        <TableScroll>
          <table className={`${ui.table} ${ui.rows}`}>
            <tbody>
              {items.map(({ version, at, actor }, place) => {
                const before = items[place + 1]?.version;
                return (
                  <tr key={version}>
                    <td>
                      {t('versions.version', { version })}{' '}
                      {version === pipeline.version && (
                        <span className={ui.label}>{t('versions.running')}</span>
                      )}
                    </td>
                    <td>{formatMoment(at)}</td>
                    <td>{actor && t('versions.by', { actor })}</td>
                    <td>
                      <div className={classes.controls}>
                        {before !== undefined && (
                          <Button
                            size="compact-sm"
                            variant="default"
                            aria-label={t('versions.showChanges', { version })}
                            onClick={() => setCompared([String(before), String(version)])}
                          >
                            {t('versions.compare')}
                          </Button>
                        )}
                        {version !== pipeline.version && (
                          <Button
                            size="compact-sm"
                            variant="default"
                            onClick={() => setRestoring(version)}
                          >
                            {t('versions.restore', { version })}
                          </Button>
                        )}
                      </div>
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </TableScroll>
        {versions.hasNextPage && (
          <div className={classes.foot}>
            <Button variant="default" onClick={() => void versions.fetchNextPage()}>
              {t('versions.older')}
            </Button>
          </div>
        )}
      </Panel>
      {compared && <Compare id={id} from={compared[0]} to={compared[1]} />}
      {restoring !== null && (
        <RestoreDialog version={restoring} onClose={() => setRestoring(null)} />
      )}
    </>
  );
}
