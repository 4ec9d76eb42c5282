import { Button, Group } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { ApiError, api, ask } from '@/shared/api';
import { ErrorMessage, Loading, Message } from '@/shared/ui';
import { Dialog } from '@/shared/ui/Dialog';
import { DiffView } from '../DiffView';
import { type Pipeline, pipelineKeys } from '../data';
import type { Finding } from '../graph/findings';
import { nameOf, nodeOf, type PipelineDocument } from '../graph/model';
import type { useDraftCommands } from './use-draft';

interface DeployDialogProps {
  pipeline: Pipeline;
  doc: PipelineDocument;
  etag: number;
  findings: Finding[];
  deploy: ReturnType<typeof useDraftCommands>['deploy'];
  onDeployed: (pipeline: Pipeline) => void;
  onClose: () => void;
}

/** What would change, and what stands in the way; then it is made to run. */
export function DeployDialog(props: DeployDialogProps) {
  const { t } = useTranslation();
  const { pipeline, doc, etag, findings, deploy, onDeployed, onClose } = props;
  const { id, version } = pipeline;
  const diff = useQuery({
    queryKey: [...pipelineKeys.diff(id, String(version), 'draft'), etag],
    queryFn: () =>
      ask(
        api.GET('/pipelines/{id}/versions/{version}/diff/{other}', {
          params: { path: { id, version: String(version), other: 'draft' } },
        }),
      ),
    gcTime: 0,
    // Once it is deployed there is no draft to compare with.
    enabled: !deploy.isPending && !deploy.isSuccess,
  });
  const problems = findings.filter((one) => one.severity === 'problem');
  const warnings = findings.filter((one) => one.severity === 'warning');
  const outdated = deploy.error instanceof ApiError && deploy.error.code === 'draft_outdated';
  const where = ({ nodeId }: Finding) => {
    const node = nodeId && nodeOf(doc, nodeId);
    return node ? nameOf(node) : t('editor.ofPipeline');
  };
  const list = (found: Finding[]) => (
    <ul>
      {found.map((one) => (
        <li key={one.pointer + one.message}>
          {where(one)}: {one.message}
        </li>
      ))}
    </ul>
  );
  return (
    <Dialog size="lg" onClose={onClose} title={t('editor.deployTitle', { name: doc.name })}>
      {problems.length > 0 && (
        <Message tone="bad">
          {t('editor.problemsFirst')}
          {list(problems)}
        </Message>
      )}
      {warnings.length > 0 && (
        <Message tone="warn">
          {t('editor.warnings')}
          {list(warnings)}
        </Message>
      )}
      {diff.error && <ErrorMessage error={diff.error} />}
      {!diff.data && !diff.error && <Loading />}
      {diff.data && <DiffView diff={diff.data} />}
      {outdated && <Message tone="alert">{t('editor.outdated')}</Message>}
      {deploy.error && !outdated && <ErrorMessage error={deploy.error} />}
      <Group justify="flex-end" mt="lg" gap="xs">
        <Button variant="default" onClick={onClose}>
          {t('common.cancel')}
        </Button>
        <Button
          disabled={problems.length > 0 || (diff.data ? diff.data.same : diff.error === null)}
          loading={deploy.isPending}
          onClick={() => deploy.mutate({ etag, force: outdated }, { onSuccess: onDeployed })}
        >
          {outdated ? t('editor.force') : t('editor.deploy')}
        </Button>
      </Group>
    </Dialog>
  );
}
