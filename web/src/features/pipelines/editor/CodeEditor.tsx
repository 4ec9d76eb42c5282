import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { javascript } from '@codemirror/lang-javascript';
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic, lintGutter, setDiagnostics } from '@codemirror/lint';
import { Compartment, EditorState, type Extension } from '@codemirror/state';
import {
  Decoration,
  EditorView,
  keymap,
  lineNumbers,
  MatchDecorator,
  ViewPlugin,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'react';
import { type CompletionScope, complete } from '../graph/completion';

export interface Mark {
  line: number;
  column: number;
  message: string;
}

interface CodeEditorProps {
  value: string;
  onChange: (value: string) => void;
  label: string;
  pointer: string;
  scope: CompletionScope;
  marks: Mark[];
  placeholder?: string | undefined;
  onFocus?: () => void;
}

const look = EditorView.theme({
  '&': {
    fontSize: '0.8125rem',
    border: '1px solid var(--line-strong)',
    borderRadius: '0.3125rem',
    background: 'var(--surface)',
    color: 'var(--mantine-color-text)',
  },
  '&.cm-focused': {
    outline: '2px solid var(--mantine-primary-color-filled)',
    outlineOffset: '-1px',
  },
  '.cm-scroller': { fontFamily: 'var(--mantine-font-family-monospace)', maxHeight: '24rem' },
  '.cm-content': { padding: '6px 0', caretColor: 'var(--mantine-color-text)' },
  '.cm-gutters': {
    background: 'var(--surface-sunken)',
    color: 'var(--text-dim)',
    borderRight: '1px solid var(--line)',
  },
  '.cm-expression': { color: 'var(--tone-info)' },
  '.cm-tooltip': {
    background: 'var(--surface)',
    color: 'var(--mantine-color-text)',
    border: '1px solid var(--line-strong)',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': {
    background: 'var(--tone-info-soft)',
    color: 'var(--mantine-color-text)',
  },
  '.cm-completionDetail': { color: 'var(--text-dim)', marginLeft: '1em' },
});

const colours = syntaxHighlighting(
  HighlightStyle.define([
    { tag: [tags.keyword, tags.controlKeyword, tags.operatorKeyword], color: 'var(--tone-hold)' },
    { tag: [tags.string, tags.special(tags.string)], color: 'var(--tone-good)' },
    { tag: [tags.number, tags.bool, tags.null], color: 'var(--tone-alert)' },
    { tag: tags.comment, color: 'var(--text-dim)', fontStyle: 'italic' },
    { tag: [tags.function(tags.variableName), tags.propertyName], color: 'var(--tone-info)' },
  ]),
);

const braces = new MatchDecorator({
  regexp: /\{\{.*?\}\}/g,
  decoration: Decoration.mark({ class: 'cm-expression' }),
});
const expressions = ViewPlugin.define(
  (view) => ({
    marks: braces.createDeco(view),
    update(update) {
      this.marks = braces.updateDeco(update, this.marks);
    },
  }),
  { decorations: (plugin) => plugin.marks },
);

/** Enter is for completion, and does nothing else in a field of one line; Tab always leaves. */
const oneLine = keymap.of([{ key: 'Enter', run: () => true }]);

function diagnosticsOf(state: EditorState, marks: Mark[]): Diagnostic[] {
  return marks.map(({ line, column, message }) => {
    const at = state.doc.line(Math.min(Math.max(line, 1), state.doc.lines));
    const from = Math.min(at.from + Math.max(column - 1, 0), at.to);
    return { from, to: at.to, severity: 'error', message };
  });
}

/**
 * An editor for a script or an expression. It lives in a shadow root: there CodeMirror puts its styles into style sheets made by
 * script, which the content security policy allows, and not into style elements, which it forbids.
 */
export default function CodeEditor(props: CodeEditorProps) {
  const { value, label, pointer, marks, scope } = props;
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });
  const { script } = scope;
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const root = element.shadowRoot ?? element.attachShadow({ mode: 'open' });
    const attributes = new Compartment();
    const kind: Extension = script
      ? [javascript(), colours, lineNumbers(), lintGutter(), closeBrackets()]
      : [expressions, EditorView.lineWrapping];
    const made = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: latest.current.value,
        extensions: [
          autocompletion({
            override: [
              (context) => {
                const text = context.state.sliceDoc(0, context.pos);
                const found = complete(text, latest.current.scope);
                return found && { ...found, validFor: /^[\w$]*$/ };
              },
            ],
          }),
          keymap.of([...closeBracketsKeymap, ...completionKeymap]),
          script ? [] : oneLine,
          history(),
          keymap.of([...historyKeymap, ...defaultKeymap]),
          kind,
          look,
          attributes.of(
            EditorView.contentAttributes.of({
              'aria-label': label,
              'data-placeholder': latest.current.placeholder ?? '',
            }),
          ),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange(update.state.doc.toString());
            if (update.focusChanged && update.view.hasFocus) latest.current.onFocus?.();
          }),
        ],
      }),
    });
    view.current = made;
    return () => {
      made.destroy();
      view.current = null;
    };
  }, [script, label]);
  useEffect(() => {
    const made = view.current;
    if (!made || made.state.doc.toString() === value) return;
    made.dispatch({ changes: { from: 0, to: made.state.doc.length, insert: value } });
  }, [value]);
  const told = JSON.stringify(marks);
  useEffect(() => {
    const made = view.current;
    if (made)
      made.dispatch(setDiagnostics(made.state, diagnosticsOf(made.state, JSON.parse(told))));
  }, [told]);
  return <div ref={host} data-pointer={pointer} data-testid="code-editor" />;
}
