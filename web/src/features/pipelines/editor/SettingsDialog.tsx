import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { type JsonObject, SchemaForm } from '@/shared/form';
import { LabelsInput } from '@/shared/form/LabelsInput';
import { Dialog } from '@/shared/ui/Dialog';
import { updateDocument } from '../graph/model';
import { documentSchema } from './common-schema';
import { useEditor } from './context';
import { usePartForm } from './use-part-form';

/** What a pipeline has beside its graph. Every change goes into the draft at once and can be undone. */
export function SettingsDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const { doc, change, findings } = useEditor();
  const schema = useMemo(() => documentSchema(t), [t]);
  const names = useMemo(() => Object.keys(schema.properties ?? {}), [schema]);
  const part = useMemo(
    () =>
      Object.fromEntries(
        names.filter((name) => doc[name] !== undefined).map((name) => [name, doc[name]]),
      ) as JsonObject,
    [names, doc],
  );
  const errors = useMemo(
    () => new Map(findings.filter((one) => !one.nodeId).map((one) => [one.below, one.message])),
    [findings],
  );
  const form = usePartForm(schema, part, errors, (next) => {
    const cleared = Object.fromEntries(names.map((name) => [name, undefined]));
    change(updateDocument(doc, { ...cleared, ...next }), 'document');
  });
  return (
    <Dialog size="lg" onClose={onClose} title={t('editor.settingsTitle')}>
      <LabelsInput
        label={t('pipelines.labels')}
        value={(doc.labels as Record<string, string> | undefined) ?? {}}
        onChange={(labels) => change(updateDocument(doc, { labels }), 'labels')}
      />
      <SchemaForm form={form} idPrefix="pipeline" />
    </Dialog>
  );
}
