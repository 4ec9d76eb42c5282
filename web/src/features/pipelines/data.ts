import { type QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, ask, type Schemas } from '@/shared/api';
import { useConnections } from '@/shared/data/connections';
import { useEveryFunction } from '@/shared/data/functions';
import { useTopic } from '@/shared/live';
import { notifyDone, notifyFailed, useErrorText } from '@/shared/ui';

export type Pipeline = Schemas['Pipeline'];
export type PipelineStatus = Schemas['PipelineStatus'];
export type PipelineState = Schemas['PipelineState'];
export type Run = Schemas['Run'];
type StreamPipeline = Schemas['StreamPipeline'];

export const pipelineKeys = {
  all: ['pipelines'] as const,
  one: (id: string) => ['pipelines', id] as const,
  draft: (id: string) => ['pipelines', id, 'draft'] as const,
  versions: (id: string) => ['pipelines', id, 'versions'] as const,
  diff: (id: string, from: string, to: string) => ['pipelines', id, 'diff', from, to] as const,
  runs: (id: string) => ['pipelines', id, 'runs'] as const,
  letters: (id: string) => ['pipelines', id, 'letters'] as const,
  uses: (id: string) => ['pipelines', id, 'uses'] as const,
  run: (id: string) => ['runs', id] as const,
};

export function usePipelines() {
  return useQuery({
    queryKey: pipelineKeys.all,
    queryFn: async () =>
      (await ask(api.GET('/pipelines', { params: { query: { limit: 1000 } } }))).items,
  });
}

export function usePipeline(id: string | undefined) {
  const client = useQueryClient();
  return useQuery({
    queryKey: pipelineKeys.one(id ?? ''),
    queryFn: () => ask(api.GET('/pipelines/{id}', { params: { path: { id: id ?? '' } } })),
    enabled: id !== undefined,
    initialData: () =>
      client.getQueryData<Pipeline[]>(pipelineKeys.all)?.find((one) => one.id === id),
    initialDataUpdatedAt: 0,
  });
}

function applyChange(client: QueryClient, change: StreamPipeline): void {
  const changed = (one: Pipeline): Pipeline => ({
    ...one,
    enabled: change.enabled ?? one.enabled,
    state: change.state ?? one.state,
  });
  const known = client.getQueryData<Pipeline>(pipelineKeys.one(change.id));
  if (known && change.version !== undefined && change.version !== known.version)
    void client.invalidateQueries({ queryKey: pipelineKeys.one(change.id) });
  client.setQueryData<Pipeline>(pipelineKeys.one(change.id), (old) => old && changed(old));
  const list = client.getQueryData<Pipeline[]>(pipelineKeys.all);
  if (!list) return;
  if (change.removed) {
    const left = list.filter((one) => one.id !== change.id);
    client.setQueryData<Pipeline[]>(pipelineKeys.all, left);
  } else if (!list.some((one) => one.id === change.id)) {
    void client.invalidateQueries({ queryKey: pipelineKeys.all, exact: true });
  } else {
    const next = list.map((one) => (one.id === change.id ? changed(one) : one));
    client.setQueryData<Pipeline[]>(pipelineKeys.all, next);
  }
}

/** Keeps what is known of pipelines at their live state, and tells of every change. */
export function useLivePipelines(onChange?: (change: StreamPipeline) => void): void {
  const client = useQueryClient();
  const take = (change: StreamPipeline) => {
    applyChange(client, change);
    onChange?.(change);
  };
  useTopic(
    { topic: 'pipelines' },
    {
      onSnapshot: (changes) => {
        for (const change of changes) take(change as StreamPipeline);
      },
      onDelta: (change) => take(change as StreamPipeline),
    },
  );
}

/** Puts an answer that is a pipeline where the pages look for it. */
export function usePutPipeline(): (changed: Pipeline) => void {
  const client = useQueryClient();
  return (changed) => {
    client.setQueryData(pipelineKeys.one(changed.id), changed);
    client.setQueryData<Pipeline[]>(pipelineKeys.all, (old) =>
      old?.map((one) => (one.id === changed.id ? changed : one)),
    );
    void client.invalidateQueries({ queryKey: pipelineKeys.versions(changed.id) });
    void client.invalidateQueries({ queryKey: pipelineKeys.uses(changed.id) });
  };
}

/** Tells of what failed, in the hub's words. */
export function useFailed(): (error: unknown) => void {
  const { t } = useTranslation();
  const errorText = useErrorText();
  return (error) => notifyFailed(t('error.failed'), errorText(error).message);
}

export function useToggle(id: string) {
  const put = usePutPipeline();
  const params = { path: { id } };
  return useMutation({
    mutationFn: (enable: boolean) =>
      enable
        ? ask(api.POST('/pipelines/{id}/enable', { params }))
        : ask(api.POST('/pipelines/{id}/disable', { params })),
    onSuccess: put,
    onError: useFailed(),
  });
}

export function useRunNow({ id, name }: Pipeline) {
  const { t } = useTranslation();
  const client = useQueryClient();
  return useMutation({
    // Without an input the trigger gives one empty record.
    mutationFn: (given: { input?: unknown }) =>
      ask(api.POST('/pipelines/{id}/run', { params: { path: { id } }, body: given })),
    onSuccess: (run) => {
      if (run)
        notifyDone(t('pipelines.ran', { name, status: t(`pipelines.runStatus.${run.status}`) }));
      // The stream tells of counters when it has something else to tell; a run by hand is waited for.
      void client.invalidateQueries({ queryKey: pipelineKeys.one(id), exact: true });
      void client.invalidateQueries({ queryKey: pipelineKeys.runs(id) });
    },
    onError: useFailed(),
  });
}

export interface NamedFunction {
  id: string;
  name: string;
  connection: string;
  kind: Schemas['FunctionKind'];
  type: string;
  parameters: string[];
}

/** The functions of all connections with the names of these, by connection and name. */
export function useAllFunctions() {
  const connections = useConnections();
  return useEveryFunction((functions): NamedFunction[] => {
    const names = new Map(connections.data?.map((one) => [one.id, one.name]));
    return functions
      .map(({ id, name, connectionId, kind, type, parameters }) => ({
        id,
        name,
        connection: names.get(connectionId) ?? '',
        kind,
        type,
        parameters,
      }))
      .sort((a, b) => a.connection.localeCompare(b.connection) || a.name.localeCompare(b.name));
  });
}

export const waitingOf = ({ nodes }: PipelineState): number =>
  nodes.reduce((sum, { delivery }) => sum + (delivery?.waiting ?? 0), 0);

export const lettersOf = ({ nodes }: PipelineState): number =>
  nodes.reduce((sum, { delivery }) => sum + (delivery?.deadLetters ?? 0), 0);

/** "12/s", "0.4/s"; empty while nothing can be said. */
export const rateText = (rate: number | null): string | null =>
  rate === null ? null : rate >= 9.95 ? String(Math.round(rate)) : String(Number(rate.toFixed(1)));
