import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { api, ask } from '@/shared/api';
import { formatCount, formatMoment, formatSpan } from '@/shared/format';
import { useTopic } from '@/shared/live';
import { ErrorMessage, Fact, Facts, Loading, Message, Panel } from '@/shared/ui';
import { pipelineKeys, type Run } from '../data';
import { flowsOf, notesOf } from '../graph/counts';
import { GraphView, useGraphView, ViewChoice } from '../graph/GraphView';
import { documentOf, nodeOf } from '../graph/model';
import { NodeFacts } from '../graph/NodeFacts';
import { nodesOf } from '../graph/rates';
import { Json } from '../Json';
import { useThisPipeline } from '../PipelinePage';
import classes from '../pipelines.module.css';
import { RunBadge } from '../status';
import { RunActions } from './RunActions';
import { lengthOf } from './RunsTab';

/** One run, on the graph: what each node got, gave and said. A run at work is followed. */
export default function RunPage() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const pipeline = useThisPipeline();
  const { runId = '' } = useParams();
  const [view, setView] = useGraphView();
  const [selected, setSelected] = useState<string | null>(null);
  const key = pipelineKeys.run(runId);
  const {
    data: run,
    error,
    refetch,
  } = useQuery({
    queryKey: key,
    queryFn: () => ask(api.GET('/runs/{id}', { params: { path: { id: runId } } })),
  });
  useTopic(
    { topic: 'runs', pipelineId: pipeline.id },
    {
      onSnapshot: () => {},
      onDelta: (told) => {
        const now = told as Run;
        if (now.id !== runId) return;
        client.setQueryData<Run>(key, (old) => old && { ...old, ...now });
        // The input is only told when one asks for the run.
        if (now.status !== 'running') void refetch();
      },
    },
  );
  const { id, version } = pipeline;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version says whether the document is another one
  const doc = useMemo(() => documentOf(pipeline), [id, version]);
  const details = useMemo(() => (run ? nodesOf(run) : []), [run]);
  const notes = useMemo(() => notesOf(details, t), [details, t]);
  const flows = useMemo(() => flowsOf(doc, details, () => null), [doc, details]);
  if (error) return <ErrorMessage error={error} onRetry={() => void refetch()} />;
  if (!run) return <Loading />;
  const chosen = selected ?? details.find((one) => one.errors > 0)?.nodeId ?? null;
  const node = chosen ? nodeOf(doc, chosen) : undefined;
  return (
    <>
      <Panel
        title={t('runs.open', { at: formatMoment(run.startedAt) })}
        aside={
          <div className={classes.controls}>
            <Link to={`/pipelines/${id}/runs`}>{t('runs.back')}</Link>
            <RunActions run={run} />
            <ViewChoice view={view} onChoose={setView} />
          </div>
        }
      >
        <Facts>
          <Fact name={t('common.status')}>
            <RunBadge status={run.status} />
          </Fact>
          <Fact name={t('runs.trigger')}>{run.trigger}</Fact>
          <Fact name={t('runs.duration')}>{formatSpan(lengthOf(run, Date.now()), t)}</Fact>
          <Fact name={t('pipelines.in')}>{formatCount(run.recordsIn)}</Fact>
          <Fact name={t('pipelines.out')}>{formatCount(run.recordsOut)}</Fact>
          <Fact name={t('pipelines.errors')}>{formatCount(run.errors)}</Fact>
        </Facts>
      </Panel>
      {details.length === 0 && <Message tone="neutral">{t('runs.noDetail')}</Message>}
      <Panel flush>
        <GraphView
          view={view}
          doc={doc}
          selected={chosen}
          onSelect={setSelected}
          notes={notes}
          flows={flows}
        />
      </Panel>
      {node && <NodeFacts node={node} detail={details.find((one) => one.nodeId === node.id)} />}
      {run.input && (
        <Panel title={t('runs.input')}>
          <Json value={run.input} label={t('runs.input')} />
        </Panel>
      )}
    </>
  );
}
