import { Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { NavLink, Outlet } from 'react-router';
import { Loading, Page, Tabs, ui } from '@/shared/ui';

const tabs = [
  { to: '/health', key: 'health.tabs.overview', end: true },
  { to: '/health/maintenance', key: 'health.tabs.maintenance', end: false },
  { to: '/health/notices', key: 'health.tabs.notices', end: false },
] as const;

/** How all connections are and were, when they are left alone on purpose, and who is told. */
export default function HealthPage() {
  const { t } = useTranslation();
  return (
    <Page title={t('health.title')}>
      <Tabs label={t('health.title')}>
        {tabs.map(({ to, key, end }) => (
          <NavLink key={to} to={to} end={end} className={ui.tab ?? ''}>
            {t(key)}
          </NavLink>
        ))}
      </Tabs>
      <Suspense fallback={<Loading />}>
        <Outlet />
      </Suspense>
    </Page>
  );
}
