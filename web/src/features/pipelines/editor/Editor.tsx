import { Button, Switch, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { TFunction } from 'i18next';
import { useEffect, useMemo, useReducer, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { ApiError, api, ask } from '@/shared/api';
import { formatSpan } from '@/shared/format';
import {
  EmptyState,
  ErrorMessage,
  Message,
  notifyDone,
  notifyFailed,
  Page,
  Panel,
} from '@/shared/ui';
import { ConfirmDialog } from '@/shared/ui/ConfirmDialog';
import { useLeaveGuard } from '@/shared/ui/use-leave-guard';
import { type Pipeline, pipelineKeys } from '../data';
import type { Finding } from '../graph/findings';
import { GraphView, useGraphView } from '../graph/GraphView';
import { historyReducer, startHistory } from '../graph/history';
import {
  addNode,
  connect,
  disconnect,
  duplicateNodes,
  edgeId,
  moveNodes,
  nodeOf,
  type PipelineDocument,
  portOf,
  refusal,
  removeNodes,
  updateDocument,
} from '../graph/model';
import type { TestResult } from '../graph/samples';
import type { GraphEditing, NodeNote } from '../graph/view';
import { EditorProvider, type EditorValue } from './context';
import { DeployDialog } from './DeployDialog';
import classes from './editor.module.css';
import { NodePanel } from './NodePanel';
import { Palette } from './Palette';
import { Problems } from './Problems';
import { SettingsDialog } from './SettingsDialog';
import { Toolbar } from './Toolbar';
import { useDraftCommands } from './use-draft';
import { useFindings } from './use-findings';
import { useTest } from './use-test';

/** What the views show of each node: what is wrong with it, and what a test showed. */
function makeNotes(
  doc: PipelineDocument,
  findings: Finding[],
  result: TestResult | null,
  t: TFunction,
): Map<string, NodeNote> {
  const notes = new Map<string, NodeNote>();
  for (const node of doc.nodes) {
    const wrong = findings.filter((one) => one.nodeId === node.id && one.severity === 'problem');
    const lines: string[] = [];
    if (wrong.length > 0) lines.push(t('graph.problems', { count: wrong.length }));
    if (node.pin !== undefined) lines.push(t('graph.pinned'));
    const tested = result?.nodes.find((one) => one.nodeId === node.id);
    if (tested) {
      const out = Object.values(tested.out).reduce((sum, records) => sum + records.length, 0);
      lines.push(
        tested.visited ? t('graph.counts', { in: tested.in.length, out }) : t('graph.notVisited'),
      );
      if (tested.errors.length > 0) lines.push(t('graph.errors', { count: tested.errors.length }));
      if (tested.visited && tested.tookMs >= 1)
        lines.push(t('graph.took', { span: formatSpan(tested.tookMs, t) }));
    }
    const bad = wrong.length > 0 || (tested?.errors.length ?? 0) > 0;
    notes.set(node.id, { tone: bad ? 'bad' : tested?.visited ? 'good' : 'neutral', lines });
  }
  return notes;
}

/** How many records went by each edge in a test: what a port gave goes by all of its edges. */
function makeFlows(doc: PipelineDocument, result: TestResult | null): Map<string, string> {
  const flows = new Map<string, string>();
  for (const edge of doc.edges) {
    const from = result?.nodes.find((one) => one.nodeId === edge.from);
    const records = from?.visited ? from.out[portOf(doc, edge)] : undefined;
    if (records) flows.set(edgeId(doc, edge), String(records.length));
  }
  return flows;
}

function useEditing(
  doc: PipelineDocument,
  change: EditorValue['change'],
  select: (id: string | null) => void,
): GraphEditing {
  const { t } = useTranslation();
  return {
    connect: (from, port, to) => {
      const why = refusal(doc, from, port, to);
      if (why) notifyFailed(t('error.failed'), t(`graph.refused.${why}`));
      else change(connect(doc, from, port, to));
    },
    disconnect: (ids) => change(disconnect(doc, ids)),
    add: (type, place) => {
      const { doc: next, id } = addNode(doc, type, place);
      change(next);
      select(id);
    },
    remove: (ids) => {
      change(removeNodes(doc, ids));
      select(null);
    },
    duplicate: (ids) => {
      const { doc: next, ids: copies } = duplicateNodes(doc, ids);
      change(next);
      select(copies[0] ?? null);
    },
    move: (positions) => change(moveNodes(doc, positions), 'move'),
  };
}

const inText = (target: EventTarget | null): boolean =>
  target instanceof Element &&
  (target.matches('input, textarea, select, [contenteditable]') || target.shadowRoot !== null);

/** Ctrl-Z, Ctrl-Y and Ctrl-S, also with Cmd; in a field undo is the field's own. */
function useKeys(undo: () => void, redo: () => void, save: () => void): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
      const key = event.key.toLowerCase();
      if (key === 's') save();
      else if (inText(event.target)) return;
      else if (key === 'z' && !event.shiftKey) undo();
      else if (key === 'y' || (key === 'z' && event.shiftKey)) redo();
      else return;
      event.preventDefault();
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, [undo, redo, save]);
}

interface EditorProps {
  /** Null: a pipeline that is being made. */
  stored: Pipeline | null;
  initial: PipelineDocument;
  /** Of the draft, or of the pipeline where it has none. */
  etag: number;
}

export function Editor({ stored, initial, etag: firstEtag }: EditorProps) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [history, dispatch] = useReducer(historyReducer, initial, startHistory);
  const doc = history.present;
  const [saved, setSaved] = useState(initial);
  const [etag, setEtag] = useState(firstEtag);
  const [selected, setSelected] = useState<string | null>(null);
  const [dialog, setDialog] = useState<'deploy' | 'settings' | 'discard' | null>(null);
  const [enable, setEnable] = useState(true);
  const [view, setView] = useGraphView();
  const { findings, settled } = useFindings(doc);
  const test = useTest(doc);
  const commands = useDraftCommands(stored?.id ?? '');
  const dirty = doc !== saved;
  const leave = useLeaveGuard(dirty);
  const change: EditorValue['change'] = (next, key) =>
    dispatch({ type: 'change', doc: next, at: Date.now(), ...(key ? { key } : {}) });
  const editing = useEditing(doc, change, setSelected);
  const node = selected ? (nodeOf(doc, selected) ?? null) : null;

  const save = async (): Promise<number | null> => {
    if (!stored) return null;
    if (!dirty && stored.draft) return etag;
    const draft = await commands.save.mutateAsync({ doc, etag }).catch(() => null);
    if (!draft) return null;
    setSaved(doc);
    setEtag(draft.version);
    return draft.version;
  };
  const saveNow = async () => {
    if (stored && dirty && (await save()) !== null) notifyDone(t('editor.saved'));
  };
  const review = async () => {
    if ((await save()) !== null) setDialog('deploy');
  };
  const create = useMutation({
    mutationFn: () =>
      ask(api.POST('/pipelines', { body: { ...doc, enabled: enable } as Pipeline })),
    onSuccess: (made) => {
      leave.release();
      notifyDone(t('editor.created', { name: made.name }));
      void client.invalidateQueries({ queryKey: pipelineKeys.all, exact: true });
      void navigate(`/pipelines/${made.id}/graph`);
    },
  });
  const undo = () => dispatch({ type: 'undo' });
  const redo = () => dispatch({ type: 'redo' });
  useKeys(undo, redo, () => void saveNow());

  const { result } = test.samples;
  const notes = useMemo(() => makeNotes(doc, findings, result, t), [doc, findings, result, t]);
  const flows = useMemo(() => makeFlows(doc, result), [doc, result]);
  const nameError = findings.find((one) => one.pointer === '/name')?.message;
  const addFromPalette = (type: string) => {
    const last = node ?? doc.nodes.at(-1);
    editing.add(type, last ? { after: { id: last.id } } : {});
  };
  const value: EditorValue = { doc, change, findings, samples: test.samples, node };
  const conflict = commands.save.error instanceof ApiError && commands.save.error.status === 412;
  const problems = findings.filter((one) => one.severity === 'problem').length;
  return (
    <EditorProvider value={value}>
      <Page
        title={stored ? t('editor.title', { name: stored.name }) : t('editor.newTitle')}
        actions={
          <div className={classes.head}>
            {stored ? (
              <>
                {stored.draft && (
                  <Button variant="default" onClick={() => setDialog('discard')}>
                    {t('editor.discard')}
                  </Button>
                )}
                <Button
                  variant="default"
                  disabled={!dirty}
                  loading={commands.save.isPending}
                  onClick={() => void saveNow()}
                >
                  {t('editor.save')}
                </Button>
                <Button onClick={() => void review()}>{t('editor.review')}</Button>
              </>
            ) : (
              <>
                <Switch
                  label={t('editor.createEnabled')}
                  checked={enable}
                  onChange={(event) => setEnable(event.currentTarget.checked)}
                />
                <Button loading={create.isPending} onClick={() => create.mutate()}>
                  {t('editor.create')}
                </Button>
              </>
            )}
          </div>
        }
      >
        <TextInput
          className={classes.name}
          label={t('editor.name')}
          placeholder={t('editor.namePlaceholder')}
          value={doc.name}
          error={nameError}
          maxLength={100}
          onChange={(event) =>
            change(updateDocument(doc, { name: event.currentTarget.value }), 'name')
          }
        />
        {conflict && (
          <Message
            tone="alert"
            alert
            action={
              <Button size="compact-sm" variant="default" onClick={() => location.reload()}>
                {t('editor.loadOther')}
              </Button>
            }
          >
            {t('editor.changedText')}
          </Message>
        )}
        {commands.save.error && !conflict && <ErrorMessage error={commands.save.error} />}
        {create.error && <ErrorMessage error={create.error} />}
        <Toolbar
          doc={doc}
          view={view}
          onView={setView}
          undo={history.past.length > 0 ? undo : null}
          redo={history.future.length > 0 ? redo : null}
          onArrange={() =>
            void import('../graph/layout').then(({ arrange }) => editing.move(arrange(doc)))
          }
          onSettings={() => setDialog('settings')}
          test={test}
          state={
            <output className={classes.state} data-settled={settled} data-problems={problems}>
              {!settled && doc.nodes.length > 0
                ? t('editor.checking')
                : problems > 0
                  ? t('graph.problems', { count: problems })
                  : doc.nodes.length > 0 && t('editor.valid')}
              {dirty && ` · ${t('common.unsaved')}`}
            </output>
          }
        />
        <div className={classes.work} data-view={view}>
          {view === 'canvas' && <Palette onAdd={addFromPalette} />}
          <Panel flush>
            {view === 'canvas' && doc.nodes.length === 0 ? (
              <EmptyState title={t('pipeline.noNodes')} text={t('editor.empty')} />
            ) : (
              <GraphView
                view={view}
                doc={doc}
                selected={selected}
                onSelect={setSelected}
                notes={notes}
                flows={flows}
                editing={editing}
              />
            )}
          </Panel>
        </div>
        {node && (
          <NodePanel
            key={node.id}
            node={node}
            counters={stored?.state.nodes.find((one) => one.nodeId === node.id)}
            onRunTo={() => test.to(node.id)}
            running={test.running}
            onRename={setSelected}
            onClose={() => setSelected(null)}
          />
        )}
        <Problems doc={doc} findings={findings} onSelect={setSelected} />
        {leave.question}
        {dialog === 'settings' && <SettingsDialog onClose={() => setDialog(null)} />}
        {dialog === 'deploy' && stored && (
          <DeployDialog
            pipeline={stored}
            doc={doc}
            etag={etag}
            findings={findings}
            deploy={commands.deploy}
            onDeployed={(deployed) => {
              leave.release();
              notifyDone(t('editor.deployed', { version: deployed.version, name: deployed.name }));
              void navigate(`/pipelines/${stored.id}/graph`);
            }}
            onClose={() => setDialog(null)}
          />
        )}
        {dialog === 'discard' && stored && (
          <ConfirmDialog
            title={t('editor.discardTitle')}
            action={t('editor.discard')}
            pending={commands.discard.isPending}
            error={commands.discard.error}
            onConfirm={() =>
              commands.discard.mutate(undefined, {
                onSuccess: () => {
                  leave.release();
                  notifyDone(t('editor.discarded'));
                  void navigate(`/pipelines/${stored.id}/graph`);
                },
              })
            }
            onClose={() => setDialog(null)}
          >
            {t('editor.discardText')}
          </ConfirmDialog>
        )}
      </Page>
    </EditorProvider>
  );
}
