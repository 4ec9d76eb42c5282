import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ask, type Schemas } from '@/shared/api';
import { type Pipeline, pipelineKeys, usePutPipeline } from '../data';
import type { PipelineDocument } from '../graph/model';

export type Draft = Schemas['PipelineDraft'];

export function useDraft(pipeline: Pipeline | undefined) {
  const id = pipeline?.id ?? '';
  return useQuery({
    queryKey: pipelineKeys.draft(id),
    queryFn: () => ask(api.GET('/pipelines/{id}/draft', { params: { path: { id } } })),
    enabled: Boolean(pipeline?.draft),
    gcTime: 0,
  });
}

/** Saving, deploying and throwing away. The ETag is that of the draft or, where there is none yet, the pipeline's. */
export function useDraftCommands(id: string) {
  const client = useQueryClient();
  const put = usePutPipeline();
  const seen = () => {
    void client.invalidateQueries({ queryKey: pipelineKeys.one(id), exact: true });
    void client.invalidateQueries({ queryKey: pipelineKeys.all, exact: true });
    client.removeQueries({ queryKey: [...pipelineKeys.one(id), 'diff'] });
  };
  const save = useMutation({
    mutationFn: ({ doc, etag }: { doc: PipelineDocument; etag: number }) =>
      ask(
        api.PUT('/pipelines/{id}/draft', {
          params: { path: { id }, header: { 'If-Match': `"${etag}"` } },
          body: doc,
        }),
      ),
    onSuccess: (draft) => {
      client.setQueryData(pipelineKeys.draft(id), draft);
      seen();
    },
  });
  const deploy = useMutation({
    mutationFn: ({ etag, force }: { etag: number; force: boolean }) =>
      ask(
        api.POST('/pipelines/{id}/deploy', {
          params: { path: { id }, header: { 'If-Match': `"${etag}"` } },
          body: { force },
        }),
      ),
    onSuccess: (deployed) => {
      client.removeQueries({ queryKey: pipelineKeys.draft(id) });
      put(deployed);
      seen();
    },
  });
  const discard = useMutation({
    mutationFn: () => ask(api.DELETE('/pipelines/{id}/draft', { params: { path: { id } } })),
    onSuccess: () => {
      client.removeQueries({ queryKey: pipelineKeys.draft(id) });
      seen();
    },
  });
  return { save, deploy, discard };
}
