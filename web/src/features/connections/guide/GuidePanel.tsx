import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import type { Connector } from '@/shared/data/connections';
import { Loading, Panel } from '@/shared/ui';

const Guide = lazy(() => import('./Guide'));

/** The connector's guide, beside the form that it is about. */
export function GuidePanel({ connector }: { connector: Connector }) {
  const { t } = useTranslation();
  return (
    <Panel title={t('guide.title', { connector: connector.title })}>
      <Suspense fallback={<Loading />}>
        <Guide text={connector.guide} />
      </Suspense>
    </Panel>
  );
}
