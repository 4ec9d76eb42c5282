import { Button, CloseButton, Textarea, TextInput } from '@mantine/core';
import { IconPin, IconPinnedOff, IconPlayerTrackNext } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Schemas } from '@/shared/api';
import { isObject, type JsonObject, SchemaForm } from '@/shared/form';
import { Message, ui } from '@/shared/ui';
import { nodeType } from '../graph/catalog';
import { settingErrors } from '../graph/findings';
import { type GraphNode, isTrigger, nameOf, renameNode, updateNode } from '../graph/model';
import { inputOf, outputOf } from '../graph/samples';
import { Json } from '../Json';
import { commonSchema } from './common-schema';
import { useEditor } from './context';
import classes from './editor.module.css';
import { widgetFor } from './fields';
import { usePartForm } from './use-part-form';

function IdInput({ node, onRename }: { node: GraphNode; onRename: (id: string) => void }) {
  const { t } = useTranslation();
  const { doc, change } = useEditor();
  const [text, setText] = useState(node.id);
  const next = renameNode(doc, node.id, text);
  const wrong = text !== node.id && next === doc;
  const settle = () => {
    if (text === node.id || wrong) return;
    change(next);
    onRename(text);
  };
  return (
    <TextInput
      size="xs"
      label={t('panel.id')}
      value={text}
      error={wrong && t('panel.idTaken')}
      spellCheck={false}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={settle}
      onKeyDown={(event) => {
        if (event.key === 'Enter') settle();
      }}
    />
  );
}

function Records({ records, label }: { records: unknown[]; label: string }) {
  const { t } = useTranslation();
  return (
    <>
      <Json value={records[0]} label={label} />
      {records.length > 1 && (
        <p className={classes.dim}>{t('panel.moreRecords', { count: records.length - 1 })}</p>
      )}
    </>
  );
}

function Input({ node, lastFailed }: { node: GraphNode; lastFailed: unknown }) {
  const { t } = useTranslation();
  const { doc, samples } = useEditor();
  const tested = samples.result?.nodes.find((one) => one.nodeId === node.id);
  const given = inputOf(doc, node.id, samples);
  const records = tested && tested.in.length > 0 ? tested.in : given === undefined ? [] : [given];
  return (
    <section className={classes.column} aria-label={t('panel.input')}>
      <h3>{t('panel.input')}</h3>
      {isTrigger(node) && <p className={classes.dim}>{t('panel.triggerInput')}</p>}
      {!isTrigger(node) && records.length === 0 && (
        <p className={classes.dim}>{t('panel.noInput')}</p>
      )}
      {!isTrigger(node) && records.length > 0 && (
        <Records records={records} label={t('panel.input')} />
      )}
      {lastFailed !== undefined && lastFailed !== null && (
        <>
          <h4>{t('panel.lastFailed')}</h4>
          <Json value={lastFailed} label={t('panel.lastFailed')} />
        </>
      )}
    </section>
  );
}

function Pin({ node }: { node: GraphNode }) {
  const { t } = useTranslation();
  const { doc, change } = useEditor();
  const [text, setText] = useState(() => JSON.stringify(node.pin, null, 2));
  const [broken, setBroken] = useState(false);
  return (
    <Textarea
      label={t('panel.pinEdit')}
      description={t('panel.pinHelp')}
      autosize
      minRows={3}
      maxRows={14}
      spellCheck={false}
      classNames={{ input: ui.mono ?? '' }}
      value={text}
      error={broken && t('form.error.json')}
      onChange={(event) => {
        setText(event.currentTarget.value);
        try {
          const pin: unknown = JSON.parse(event.currentTarget.value);
          setBroken(false);
          change(updateNode(doc, node.id, { pin }), `${node.id}/pin`);
        } catch {
          setBroken(true);
        }
      }}
    />
  );
}

function Output({ node }: { node: GraphNode }) {
  const { t } = useTranslation();
  const { doc, change, samples } = useEditor();
  const tested = samples.result?.nodes.find((one) => one.nodeId === node.id);
  const output = outputOf(doc, node.id, samples);
  const ports = Object.entries(output ?? {}).filter(([, records]) => records.length > 0);
  const pinned = node.pin !== undefined;
  const pin = (value: unknown) => change(updateNode(doc, node.id, { pin: value }));
  return (
    <section className={classes.column} aria-label={t('panel.output')}>
      <h3>{t('panel.output')}</h3>
      {tested?.errors.map((error) => (
        <Message key={error.message} tone="bad">
          {error.message}
        </Message>
      ))}
      {tested && tested.wouldHaveSent.length > 0 && (
        <>
          <h4>{t('panel.wouldHaveSent')}</h4>
          {tested.wouldHaveSent.slice(0, 5).map((call, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: calls have no identity but their place
            <div key={place}>
              <p className={classes.dim}>
                {t('panel.toFunction', { connection: call.connection, function: call.function })}
              </p>
              <Json value={call.parameters} label={t('panel.wouldHaveSent')} />
            </div>
          ))}
        </>
      )}
      {!pinned && ports.length === 0 && <p className={classes.dim}>{t('panel.noOutput')}</p>}
      {!pinned &&
        ports.map(([port, records]) => (
          <div key={port}>
            <h4>{t('panel.port', { port })}</h4>
            <Records records={records} label={t('panel.port', { port })} />
          </div>
        ))}
      {pinned && <Pin node={node} />}
      <div className={classes.buttons}>
        {pinned ? (
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconPinnedOff size={14} />}
            onClick={() => pin(undefined)}
          >
            {t('panel.unpin')}
          </Button>
        ) : (
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconPin size={14} />}
            title={t('panel.pinHelp')}
            onClick={() => pin(ports.length > 0 ? Object.fromEntries(ports) : [{}])}
          >
            {ports.length > 0 ? t('panel.pin') : t('panel.pinStart')}
          </Button>
        )}
      </div>
    </section>
  );
}

function Settings({ node, onRename }: { node: GraphNode; onRename: (id: string) => void }) {
  const { t } = useTranslation();
  const { doc, change, findings } = useEditor();
  const type = nodeType(node.type);
  const errors = useMemo(() => settingErrors(findings, node.id), [findings, node.id]);
  const settings = node.settings ?? {};
  const form = usePartForm(type?.schema ?? { type: 'object' }, settings, errors, (next) =>
    change(updateNode(doc, node.id, { settings: next }), `${node.id}/settings`),
  );
  const common = useMemo(() => commonSchema(node.type, t), [node.type, t]);
  const names = Object.keys(common.properties ?? {});
  const members = useMemo(
    () =>
      Object.fromEntries(
        names.filter((name) => node[name] !== undefined).map((name) => [name, node[name]]),
      ) as JsonObject,
    [names, node],
  );
  const commonErrors = useMemo(
    () =>
      new Map(
        findings
          .filter((one) => one.nodeId === node.id && !one.edgeId && one.severity === 'problem')
          .map((one) => [one.below, one.message]),
      ),
    [findings, node.id],
  );
  const commonForm = usePartForm(common, members, commonErrors, (next) => {
    const cleared = Object.fromEntries(names.map((name) => [name, undefined]));
    change(updateNode(doc, node.id, { ...cleared, ...next }), `${node.id}/common`);
  });
  const elsewhere = findings.filter(
    (one) => one.nodeId === node.id && (one.edgeId || !one.below.startsWith('/settings/')),
  );
  return (
    <section className={classes.column} aria-label={t('panel.settings')}>
      <h3>{t('panel.settings')}</h3>
      {type?.schema.description && <p className={classes.dim}>{type.schema.description}</p>}
      {!type && <Message tone="bad">{t('panel.unknownType', { type: node.type })}</Message>}
      {elsewhere.map((one) => (
        <Message key={one.message} tone={one.severity === 'problem' ? 'bad' : 'warn'}>
          {one.message}
        </Message>
      ))}
      {Object.keys(type?.schema.properties ?? {}).length > 0 ? (
        <SchemaForm form={form} idPrefix={`node-${node.id}`} widgetFor={widgetFor} />
      ) : (
        <p className={classes.dim}>{t('panel.noSettings')}</p>
      )}
      <details className={classes.more}>
        <summary>{t('panel.more')}</summary>
        <IdInput key={node.id} node={node} onRename={onRename} />
        <SchemaForm form={commonForm} idPrefix={`common-${node.id}`} />
      </details>
    </section>
  );
}

interface NodePanelProps {
  node: GraphNode;
  counters: Schemas['NodeCounters'] | undefined;
  onRunTo: () => void;
  running: boolean;
  onRename: (id: string) => void;
  onClose: () => void;
}

/** One node: what comes in, what it is told to do, what goes out. */
export function NodePanel({ node, counters, onRunTo, running, onRename, onClose }: NodePanelProps) {
  const { t } = useTranslation();
  const failed = counters?.lastFailedInput;
  return (
    <section className={classes.panel} aria-label={t('panel.label', { name: nameOf(node) })}>
      <header className={classes.panelHead}>
        <h2>{nameOf(node)}</h2>
        <span className={ui.label}>{node.id}</span>
        <span className={classes.spacer} />
        <Button
          size="compact-sm"
          variant="light"
          leftSection={<IconPlayerTrackNext size={14} />}
          loading={running}
          onClick={onRunTo}
        >
          {t('panel.runToHere')}
        </Button>
        <CloseButton aria-label={t('panel.close')} onClick={onClose} />
      </header>
      <div className={classes.columns}>
        <Input node={node} lastFailed={isObject(failed) ? failed : undefined} />
        <Settings node={node} onRename={onRename} />
        <Output node={node} />
      </div>
    </section>
  );
}
