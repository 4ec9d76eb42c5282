import { useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useTopic } from '@/shared/live';
import { EmptyState, Panel, useNow } from '@/shared/ui';
import { type Run, rateText } from './data';
import { flowsOf, notesOf } from './graph/counts';
import { GraphView, useGraphView, ViewChoice } from './graph/GraphView';
import { documentOf, nodeOf } from './graph/model';
import { NodeFacts } from './graph/NodeFacts';
import { Throughput } from './graph/rates';
import { useThisPipeline } from './PipelinePage';

/** The graph that runs, with what passes through it. */
export default function GraphTab() {
  const { t } = useTranslation();
  const pipeline = useThisPipeline();
  const { id, version, state } = pipeline;
  const [view, setView] = useGraphView();
  const [selected, setSelected] = useState<string | null>(null);
  // Counters change all the time; the graph only with its version.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version says whether the document is another one
  const doc = useMemo(() => documentOf(pipeline), [id, version]);
  const throughput = useRef(new Throughput());
  useTopic(
    { topic: 'runs', pipelineId: id },
    {
      onSnapshot: (runs) => {
        for (const run of runs) throughput.current.observe(run as Run, Date.now(), true);
      },
      onDelta: (run) => throughput.current.observe(run as Run, Date.now()),
    },
  );
  useNow(1000);
  const now = Date.now();
  const notes = useMemo(() => notesOf(state.nodes, t), [state.nodes, t]);
  const flows = flowsOf(doc, state.nodes, (nodeId) => {
    const rate = rateText(throughput.current.rate(nodeId, now));
    return rate === null ? null : t('graph.perSecond', { rate });
  });
  // One object for one content: the canvas is drawn anew only when a text has changed.
  const flowsKey = JSON.stringify([...flows]);
  const steadyFlows = useMemo(() => new Map<string, string>(JSON.parse(flowsKey)), [flowsKey]);
  const node = selected ? nodeOf(doc, selected) : undefined;
  return (
    <>
      <Panel flush aside={<ViewChoice view={view} onChoose={setView} />}>
        <GraphView
          view={view}
          doc={doc}
          selected={selected}
          onSelect={setSelected}
          notes={notes}
          flows={steadyFlows}
        />
      </Panel>
      {node ? (
        <NodeFacts node={node} counters={state.nodes.find((one) => one.nodeId === node.id)} />
      ) : (
        <EmptyState title={t('graph.pick')} />
      )}
    </>
  );
}
