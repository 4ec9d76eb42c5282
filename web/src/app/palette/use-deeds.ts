import { useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, ask } from '@/shared/api';
import { notifyDone, notifyFailed, useErrorText } from '@/shared/ui';
import type { Deed } from './entries';

type ConnectionDeed = Extract<Deed, { connection: unknown }>;
type PipelineDeed = Extract<Deed, { pipeline: unknown }>;

type Command = 'start' | 'stop' | 'restart' | 'resume';

const commands: Record<Exclude<ConnectionDeed['do'], 'test' | 'suspend'>, Command> = {
  start: 'start',
  stop: 'stop',
  restart: 'restart',
  connectNow: 'restart',
  resume: 'resume',
  resumeAndStart: 'resume',
};

/** Does what was chosen and says how it went. What needs more than a choice is not among it: suspending asks for a reason. */
export function useDeeds() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const errorText = useErrorText();

  async function ofConnection({ do: what, connection }: ConnectionDeed) {
    const { id, name } = connection;
    const params = { path: { id } };
    if (what === 'suspend') return;
    if (what !== 'test') {
      const command = commands[what];
      if (command === 'resume') {
        const body = { start: what === 'resumeAndStart' };
        await ask(api.POST('/connections/{id}/resume', { params, body }));
      } else await ask(api.POST(`/connections/{id}/${command}`, { params }));
      notifyDone(t(`connection.done.${command}`, { name }));
      return;
    }
    const diagnosis = await ask(api.POST('/connections/{id}/test', { params }));
    const stopped = diagnosis.stages.find((stage) => !stage.ok);
    if (!stopped) notifyDone(t('palette.done.testOk', { name }));
    else {
      const stage = t(`diagnosis.stage.${stopped.stage}`);
      notifyFailed(t('palette.done.testFailed', { name, stage }), stopped.error?.message ?? '');
    }
  }

  async function ofPipeline({ do: what, pipeline }: PipelineDeed) {
    const { id, name } = pipeline;
    const params = { path: { id } };
    if (what === 'run') {
      const run = await ask(api.POST('/pipelines/{id}/run', { params }));
      if (run)
        notifyDone(t('pipelines.ran', { name, status: t(`pipelines.runStatus.${run.status}`) }));
      return;
    }
    if (what === 'enable') await ask(api.POST('/pipelines/{id}/enable', { params }));
    else await ask(api.POST('/pipelines/{id}/disable', { params }));
    notifyDone(t(`palette.done.${what}`, { name }));
  }

  return async (deed: ConnectionDeed | PipelineDeed) => {
    try {
      if ('connection' in deed) await ofConnection(deed);
      else await ofPipeline(deed);
    } catch (error) {
      notifyFailed(t('error.failed'), errorText(error).message);
    }
    await client.invalidateQueries({
      queryKey: ['connection' in deed ? 'connections' : 'pipelines'],
    });
  };
}
