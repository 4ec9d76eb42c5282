import { useParams } from 'react-router';
import { ErrorMessage, Loading } from '@/shared/ui';
import { usePipeline } from '../data';
import { documentOf, emptyDocument } from '../graph/model';
import { Editor } from './Editor';
import { useDraft } from './use-draft';

/** Make a pipeline, or work on the draft of one while it runs. */
export default function EditorPage() {
  const { id } = useParams();
  const pipeline = usePipeline(id);
  const draft = useDraft(pipeline.data);
  const error = pipeline.error ?? draft.error;
  if (error) return <ErrorMessage error={error} onRetry={() => void pipeline.refetch()} />;
  if (id === undefined)
    return <Editor key="new" stored={null} initial={emptyDocument()} etag={0} />;
  if (!pipeline.data || (pipeline.data.draft && !draft.data)) return <Loading />;
  return (
    <Editor
      key={id}
      stored={pipeline.data}
      initial={documentOf(draft.data?.document ?? pipeline.data)}
      etag={draft.data?.version ?? pipeline.data.version}
    />
  );
}
