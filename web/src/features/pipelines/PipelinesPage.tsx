import { Button, Switch } from '@mantine/core';
import {
  IconAlertTriangle,
  IconCircleOff,
  IconHourglass,
  IconPlayerPlay,
  IconRoute,
} from '@tabler/icons-react';
import { type QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, ask, type Schemas } from '@/shared/api';
import { formatCount } from '@/shared/format';
import { useTopic } from '@/shared/live';
import {
  Ago,
  CopyButton,
  EmptyState,
  ErrorMessage,
  Loading,
  notifyDone,
  notifyFailed,
  Page,
  Panel,
  ToneBadge,
  ui,
  useErrorText,
} from '@/shared/ui';
import { examplePipeline } from './example';
import classes from './pipelines.module.css';

type Pipeline = Schemas['Pipeline'];
type StreamPipeline = Schemas['StreamPipeline'];

const key = ['pipelines'] as const;

const looks = {
  disabled: { tone: 'neutral', icon: IconCircleOff },
  running: { tone: 'good', icon: IconPlayerPlay },
  waiting: { tone: 'warn', icon: IconHourglass },
  failing: { tone: 'bad', icon: IconAlertTriangle },
} as const;

function applyChange(client: QueryClient, change: StreamPipeline): void {
  const list = client.getQueryData<Pipeline[]>(key);
  if (!list) return;
  if (change.removed)
    client.setQueryData<Pipeline[]>(
      key,
      list.filter((one) => one.id !== change.id),
    );
  else if (!list.some((one) => one.id === change.id))
    void client.invalidateQueries({ queryKey: key });
  else {
    client.setQueryData<Pipeline[]>(
      key,
      list.map((one) =>
        one.id === change.id
          ? { ...one, enabled: change.enabled ?? one.enabled, state: change.state ?? one.state }
          : one,
      ),
    );
  }
}

/** Trigger → nodes → destination, by their types: what a pipeline does at a glance. */
function flowOf({ nodes }: Pipeline): string {
  return nodes.map((node) => node.name ?? node.type.replace(/^trigger\./, '')).join(' → ');
}

function Row({ pipeline }: { pipeline: Pipeline }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const errorText = useErrorText();
  const { state } = pipeline;
  const look = looks[state.status];
  const onError = (error: unknown) => notifyFailed(t('error.failed'), errorText(error).message);
  const put = (changed: Pipeline) =>
    client.setQueryData<Pipeline[]>(key, (old) =>
      old?.map((one) => (one.id === changed.id ? changed : one)),
    );
  const params = { path: { id: pipeline.id } };
  const toggle = useMutation({
    mutationFn: (enable: boolean) =>
      enable
        ? ask(api.POST('/pipelines/{id}/enable', { params }))
        : ask(api.POST('/pipelines/{id}/disable', { params })),
    onSuccess: put,
    onError,
  });
  const run = useMutation({
    mutationFn: () => ask(api.POST('/pipelines/{id}/run', { params })),
    onSuccess: (result) => {
      if (!result) return;
      notifyDone(
        t('pipelines.ran', {
          name: pipeline.name,
          status: t(`pipelines.runStatus.${result.status}`),
        }),
      );
    },
    onError,
  });
  const failing = state.nodes.find((node) => node.lastError !== null);
  const manual = pipeline.nodes.some((node) => node.type === 'trigger.manual');
  return (
    <tr>
      <td className={classes.nameCell}>
        <div className={classes.name}>{pipeline.name}</div>
        {pipeline.description && <div className={classes.sub}>{pipeline.description}</div>}
        {failing?.lastError && state.status === 'failing' && (
          <div className={classes.failure}>
            {t('pipelines.lastError', { node: failing.nodeId, message: failing.lastError.message })}
          </div>
        )}
      </td>
      <td>
        <ToneBadge tone={look.tone} icon={look.icon} title={t(`pipelines.explain.${state.status}`)}>
          {t(`pipelines.status.${state.status}`)}
        </ToneBadge>
      </td>
      <td className={classes.flow} title={flowOf(pipeline)}>
        {flowOf(pipeline)}
      </td>
      <td data-number>{formatCount(state.recordsIn)}</td>
      <td data-number>{formatCount(state.recordsOut)}</td>
      <td data-number data-some={state.errors > 0} className={classes.errors}>
        {formatCount(state.errors)}
      </td>
      <td data-number>{formatCount(state.dropped)}</td>
      <td className={ui.nowrap}>
        {state.lastRunAt ? <Ago at={state.lastRunAt} /> : t('common.never')}
      </td>
      <td>
        <div className={classes.controls}>
          <Switch
            aria-label={t('pipelines.enable', { name: pipeline.name })}
            checked={toggle.isPending ? toggle.variables : pipeline.enabled}
            disabled={toggle.isPending}
            onChange={(event) => toggle.mutate(event.currentTarget.checked)}
          />
          {manual && (
            <Button
              size="compact-sm"
              variant="light"
              disabled={!pipeline.enabled}
              loading={run.isPending}
              leftSection={<IconPlayerPlay size={14} />}
              onClick={() => run.mutate()}
            >
              {t('pipelines.run')}
            </Button>
          )}
        </div>
      </td>
    </tr>
  );
}

/** The pipelines with their live counters. */
export default function PipelinesPage() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { data, error, refetch } = useQuery({
    queryKey: key,
    queryFn: async () =>
      (await ask(api.GET('/pipelines', { params: { query: { limit: 1000 } } }))).items,
  });
  useTopic(
    { topic: 'pipelines' },
    {
      onSnapshot: (changes) => {
        for (const change of changes) applyChange(client, change as StreamPipeline);
      },
      onDelta: (change) => applyChange(client, change as StreamPipeline),
    },
  );
  return (
    <Page
      title={t('pipelines.title')}
      aside={<span className={classes.sub}>{t('pipelines.sinceStart')}</span>}
    >
      {error && <ErrorMessage error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Loading />}
      {data && (
        <Panel flush>
          {data.length === 0 ? (
            <EmptyState
              icon={<IconRoute size={40} stroke={1.2} aria-hidden />}
              title={t('pipelines.empty')}
              text={t('pipelines.emptyText')}
              action={
                <CopyButton label={t('pipelines.emptyAction')} text={() => examplePipeline} />
              }
            />
          ) : (
            <div className={ui.tableScroll}>
              <table className={`${ui.table} ${ui.rows}`}>
                <thead>
                  <tr>
                    <th scope="col">{t('common.name')}</th>
                    <th scope="col">{t('common.status')}</th>
                    <th scope="col">{t('pipelines.flow')}</th>
                    <th scope="col" data-number>
                      {t('pipelines.in')}
                    </th>
                    <th scope="col" data-number>
                      {t('pipelines.out')}
                    </th>
                    <th scope="col" data-number>
                      {t('pipelines.errors')}
                    </th>
                    <th scope="col" data-number>
                      {t('pipelines.dropped')}
                    </th>
                    <th scope="col">{t('pipelines.lastRun')}</th>
                    <th scope="col">{t('pipelines.enabled')}</th>
                  </tr>
                </thead>
                <tbody>
                  {data.map((pipeline) => (
                    <Row key={pipeline.id} pipeline={pipeline} />
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </Panel>
      )}
    </Page>
  );
}
