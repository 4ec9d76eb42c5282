import { SegmentedControl } from '@mantine/core';
import { useLocalStorage, useMediaQuery } from '@mantine/hooks';
import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { Loading } from '@/shared/ui';
import { Outline } from './Outline';
import type { GraphViewProps } from './view';

const Canvas = lazy(() => import('./Canvas'));

export type View = 'canvas' | 'outline';

/** Which of the two views is shown: as chosen last; the outline where the screen is small. */
export function useGraphView(): [View, (view: View) => void] {
  const small = useMediaQuery('(max-width: 700px)') ?? false;
  const [chosen, choose] = useLocalStorage<View | null>({
    key: 'tributary-graph-view',
    defaultValue: null,
    getInitialValueInEffect: false,
  });
  return [chosen ?? (small ? 'outline' : 'canvas'), choose];
}

export function ViewChoice({ view, onChoose }: { view: View; onChoose: (view: View) => void }) {
  const { t } = useTranslation();
  return (
    <SegmentedControl
      size="xs"
      aria-label={t('pipeline.view.label')}
      value={view}
      data={[
        { value: 'canvas', label: t('pipeline.view.canvas') },
        { value: 'outline', label: t('pipeline.view.outline') },
      ]}
      onChange={(next) => onChoose(next as View)}
    />
  );
}

/** One graph in the view that is wanted. */
export function GraphView({ view, ...props }: GraphViewProps & { view: View }) {
  if (view === 'outline') return <Outline {...props} />;
  return (
    <Suspense fallback={<Loading />}>
      <Canvas {...props} />
    </Suspense>
  );
}
