import type { HubFunction } from '@/shared/data/functions';
import { SchemaForm, type SchemaFormState } from '@/shared/form';
import { PointsProvider } from '../context';
import { PointTable } from '../PointTable';

/** The table of points in a form, as the editor of a function shows it. */
export function PointForm({
  form,
  stored,
  canBrowse,
}: {
  form: SchemaFormState;
  stored: HubFunction | undefined;
  canBrowse: boolean;
}) {
  return (
    <PointsProvider
      value={{ connectionId: 'c1', stored, dirty: false, canBrowse, onImported: () => {} }}
    >
      <SchemaForm
        form={form}
        idPrefix="f"
        widgetFor={(one) => (one['x-widget'] === 'points' ? PointTable : undefined)}
      />
    </PointsProvider>
  );
}
