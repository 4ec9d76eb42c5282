import { ActionIcon, Button, NativeSelect } from '@mantine/core';
import { IconCopy, IconTrash, IconX } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { categoryOf, categoryOrder, nodeTypes, portsOf } from './catalog';
import classes from './graph.module.css';
import { iconOf } from './icons';
import { edgeId, type GraphNode, inOrder, nameOf, nodeOf, portOf, refusal } from './model';
import type { GraphEditing, GraphViewProps } from './view';

/** Types for a select, by shelf; values begin with "new:". */
export function useTypeGroups(triggers: boolean) {
  const { t } = useTranslation();
  return categoryOrder
    .filter((category) => triggers || category !== 'trigger')
    .map((category) => ({
      group: t(`graph.category.${category}`),
      items: nodeTypes
        .filter((one) => categoryOf(one) === category)
        .map((one) => ({ value: `new:${one.type}`, label: one.schema.title ?? one.type })),
    }));
}

type Options = { group: string; items: { value: string; label: string }[] }[];

interface ChoiceProps {
  label: string;
  placeholder: string;
  /** Of the button. */
  action: string;
  options: Options;
  onChoose: (value: string) => void;
}

/** A select with a button: a select that acts by itself would act at every letter and arrow key. */
function Choice({ label, placeholder, action, options, onChoose }: ChoiceProps) {
  const [value, setValue] = useState('');
  const select = useRef<HTMLSelectElement>(null);
  return (
    <form
      className={classes.choice}
      onSubmit={(event) => {
        event.preventDefault();
        if (value === '') return;
        setValue('');
        onChoose(value);
        // The button takes no key any more: the next choice is made where this one was.
        select.current?.focus();
      }}
    >
      <NativeSelect
        ref={select}
        size="xs"
        aria-label={label}
        value={value}
        data={[{ value: '', label: placeholder }, ...options]}
        onChange={(event) => setValue(event.currentTarget.value)}
      />
      <Button
        type="submit"
        size="compact-xs"
        variant="default"
        disabled={value === ''}
        aria-label={`${action}: ${label}`}
      >
        {action}
      </Button>
    </form>
  );
}

interface PortProps extends GraphViewProps {
  node: GraphNode;
  port: string;
}

/** Where a port leads to, and a choice of where else it may. */
function Port({ doc, node, port, flows, editing }: PortProps) {
  const { t } = useTranslation();
  const groups = useTypeGroups(false);
  const edges = doc.edges.filter((edge) => edge.from === node.id && portOf(doc, edge) === port);
  const there = doc.nodes
    .filter((one) => refusal(doc, node.id, port, one.id) === null)
    .map((one) => ({ value: `to:${one.id}`, label: `${nameOf(one)} (${one.id})` }));
  const many = portsOf(node).length > 1;
  return (
    <li className={classes.port}>
      {many && <span className={classes.portName}>{t('graph.leads', { port })}</span>}
      {edges.map((edge) => {
        const target = nodeOf(doc, edge.to);
        const flow = flows?.get(edgeId(doc, edge));
        return (
          <span key={edge.to} className={classes.portEdge}>
            {'→ '}
            {target ? nameOf(target) : edge.to} ({edge.to}){flow && ` · ${flow}`}
            {editing && (
              <ActionIcon
                size="xs"
                variant="subtle"
                color="gray"
                aria-label={t('graph.removeEdge', { from: node.id, port, to: edge.to })}
                onClick={() => editing.disconnect([edgeId(doc, edge)])}
              >
                <IconX size={12} />
              </ActionIcon>
            )}
          </span>
        );
      })}
      {edges.length === 0 && !editing && <span>{t('graph.noWay')}</span>}
      {editing && (
        <Choice
          label={t('graph.leadTo', { node: node.id, port })}
          placeholder={t('graph.leadToChoice')}
          action={t('graph.connect')}
          options={[
            ...(there.length > 0 ? [{ group: t('graph.existing'), items: there }] : []),
            ...groups,
          ]}
          onChoose={(value) => {
            const [kind, ...rest] = value.split(':');
            const what = rest.join(':');
            if (kind === 'to') editing.connect(node.id, port, what);
            else editing.add(what, { after: { id: node.id, port } });
          }}
        />
      )}
    </li>
  );
}

function Entry(props: GraphViewProps & { node: GraphNode }) {
  const { t } = useTranslation();
  const { node, selected, onSelect, notes, editing } = props;
  const Icon = iconOf(node.type);
  const note = notes.get(node.id);
  const name = nameOf(node);
  return (
    <li className={classes.entry} data-selected={node.id === selected} data-tone={note?.tone}>
      <div className={classes.entryHead}>
        <button
          type="button"
          className={classes.entryName}
          aria-pressed={node.id === selected}
          onClick={() => onSelect(node.id)}
        >
          <Icon size={18} aria-hidden />
          <strong>{name}</strong>
          <span>{node.id}</span>
        </button>
        {note?.lines.map((line) => (
          <span key={line} className={classes.note}>
            {line}
          </span>
        ))}
        {editing && (
          <span className={classes.entryActions}>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={t('graph.duplicate', { name: node.id })}
              onClick={() => editing.duplicate([node.id])}
            >
              <IconCopy size={16} />
            </ActionIcon>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={t('graph.remove', { name: node.id })}
              onClick={() => editing.remove([node.id])}
            >
              <IconTrash size={16} />
            </ActionIcon>
          </span>
        )}
      </div>
      <ul className={classes.ports}>
        {portsOf(node).map((port) => (
          <Port key={port} {...props} port={port} />
        ))}
      </ul>
    </li>
  );
}

/** The graph as a list: for keyboards, small screens and screen readers. It does everything the canvas does. */
export function Outline(props: GraphViewProps) {
  const { t } = useTranslation();
  const { doc } = props;
  const groups = useTypeGroups(true);
  const list = useRef<HTMLOListElement>(null);
  // The button that takes something away goes with it; the keyboard goes on in the list.
  const editing: GraphEditing | undefined = props.editing && {
    ...props.editing,
    remove: (ids) => {
      props.editing?.remove(ids);
      list.current?.focus();
    },
    disconnect: (ids) => {
      props.editing?.disconnect(ids);
      list.current?.focus();
    },
  };
  return (
    <div className={classes.outline} data-testid="outline">
      <ol ref={list} className={classes.entries} aria-label={t('graph.outline')} tabIndex={-1}>
        {inOrder(doc).map((id) => {
          const node = nodeOf(doc, id);
          return (
            node && <Entry key={id} {...props} {...(editing ? { editing } : {})} node={node} />
          );
        })}
      </ol>
      {editing && (
        <div className={classes.addFirst}>
          <Choice
            label={t('graph.addFirst')}
            placeholder={`${t('graph.addFirst')}…`}
            action={t('graph.add')}
            options={groups}
            onChoose={(value) => editing.add(value.replace(/^new:/, ''), {})}
          />
        </div>
      )}
    </div>
  );
}
