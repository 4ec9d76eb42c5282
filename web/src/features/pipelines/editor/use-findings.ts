import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { api, ask } from '@/shared/api';
import { type Finding, place } from '../graph/findings';
import type { PipelineDocument } from '../graph/model';

const none: Finding[] = [];

/** What the hub says of the document as it is now: asked at every pause. `settled`: it is about this document and no other. */
export function useFindings(doc: PipelineDocument): { findings: Finding[]; settled: boolean } {
  const [paused] = useDebouncedValue(doc, 350);
  const empty = paused.nodes.length === 0;
  const { data, isPlaceholderData } = useQuery({
    queryKey: ['pipelines', 'validate', paused],
    queryFn: async () => {
      const answer = await ask(api.POST('/pipelines/validate', { body: paused }));
      return [
        ...place(paused, answer.problems, 'problem'),
        ...place(paused, answer.warnings, 'warning'),
      ];
    },
    // Of an empty graph there is nothing to say that its picture does not.
    enabled: !empty,
    placeholderData: keepPreviousData,
    gcTime: 0,
    retry: false,
  });
  return {
    findings: empty ? none : (data ?? none),
    settled: paused === doc && !empty && data !== undefined && !isPlaceholderData,
  };
}
