import { useTranslation } from 'react-i18next';
import { Panel } from '@/shared/ui';
import type { Finding } from '../graph/findings';
import { nameOf, nodeOf, type PipelineDocument } from '../graph/model';
import classes from './editor.module.css';

/** Brings the field that a finding is about into view and puts the cursor there. */
function focusField(below: string): void {
  const pointer = below.replace(/^\/settings/, '');
  const steps = pointer.split('/').filter(Boolean);
  // The field itself, or what it is part of.
  for (let count = steps.length; count > 0; count -= 1) {
    const at = `/${steps.slice(0, count).join('/')}`;
    const field = document.querySelector<HTMLElement>(`[data-pointer="${CSS.escape(at)}"]`);
    if (!field) continue;
    field.scrollIntoView({ block: 'center' });
    const inner =
      field.shadowRoot?.querySelector<HTMLElement>('[contenteditable]') ??
      field.querySelector<HTMLElement>('input, select, textarea, button');
    (inner ?? field).focus();
    return;
  }
}

interface ProblemsProps {
  doc: PipelineDocument;
  findings: Finding[];
  onSelect: (id: string) => void;
}

/** What the hub says of the draft; each entry leads to its node and field. */
export function Problems({ doc, findings, onSelect }: ProblemsProps) {
  const { t } = useTranslation();
  const parts = [
    ['problem', t('editor.problems')],
    ['warning', t('editor.warnings')],
  ] as const;
  return parts.map(([severity, title]) => {
    const found = findings.filter((one) => one.severity === severity);
    if (found.length === 0) return null;
    return (
      <Panel key={severity} title={title}>
        <ul className={classes.problems}>
          {found.map((one) => {
            const node = one.nodeId ? nodeOf(doc, one.nodeId) : undefined;
            return (
              <li key={one.pointer + one.message} data-severity={severity}>
                {node ? (
                  <button
                    type="button"
                    onClick={() => {
                      onSelect(node.id);
                      // The panel of the node has to be there first.
                      setTimeout(() => focusField(one.below), 50);
                    }}
                  >
                    {nameOf(node)} ({node.id})
                  </button>
                ) : (
                  t('editor.ofPipeline')
                )}
                : {one.message}
              </li>
            );
          })}
        </ul>
      </Panel>
    );
  });
}
