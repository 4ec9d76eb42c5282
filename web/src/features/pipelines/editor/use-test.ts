import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ask } from '@/shared/api';
import { useFailed } from '../data';
import { inOrder, isTrigger, type PipelineDocument } from '../graph/model';
import { recordOf, type Samples, type TestResult } from '../graph/samples';

/** What the function of the first trigger said last: a record to try things out with before anything was tested. */
function useLiveRecord(doc: PipelineDocument) {
  const trigger = doc.nodes.find(isTrigger);
  const id = trigger?.settings?.functionId;
  const known = typeof id === 'string' && id !== '';
  const { data } = useQuery({
    queryKey: ['functions', id, 'values'],
    queryFn: async () =>
      recordOf(
        await ask(api.GET('/functions/{id}/values', { params: { path: { id: String(id) } } })),
      ),
    enabled: known,
    retry: false,
  });
  return known ? (data ?? null) : null;
}

/** Tests of the draft: all of it, up to a node, or step by step. */
export function useTest(doc: PipelineDocument) {
  const [result, setResult] = useState<TestResult | null>(null);
  const [until, setUntil] = useState<string | null>(null);
  const [call, setCall] = useState(false);
  const live = useLiveRecord(doc);
  const trigger = doc.nodes.find(isTrigger);
  const test = useMutation({
    mutationFn: (to: string | null) =>
      ask(
        api.POST('/pipelines/test', {
          body: {
            document: doc,
            destinations: call ? 'call' : 'stub',
            ...(to ? { until: to } : {}),
            ...(live && trigger?.pin === undefined ? { input: [live] } : {}),
          },
        }),
      ),
    onSuccess: (answer, to) => {
      setResult(answer);
      setUntil(to);
    },
    onError: useFailed(),
  });
  const order = inOrder(doc);
  const next = order[until === null ? 0 : order.indexOf(until) + 1] ?? null;
  const samples: Samples = { result, live };
  return {
    samples,
    until,
    call,
    setCall,
    running: test.isPending,
    all: () => test.mutate(null),
    to: (id: string) => test.mutate(id),
    /** One node further than the last step; from the beginning after the last. */
    step: () => test.mutate(next ?? order[0] ?? null),
    clear: () => {
      setResult(null);
      setUntil(null);
    },
  };
}
