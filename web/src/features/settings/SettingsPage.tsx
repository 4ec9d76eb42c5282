import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { Navigate, NavLink, Route, Routes } from 'react-router';
import type { Me } from '@/shared/data/session';
import { Loading, Page, ui } from '@/shared/ui';

const AccessTab = lazy(() => import('./AccessTab'));
const CertificatesTab = lazy(() => import('./CertificatesTab'));
const SecretsTab = lazy(() => import('./SecretsTab'));
const SystemTab = lazy(() => import('./SystemTab'));
const AuditTab = lazy(() => import('./AuditTab'));

const tabs = ['access', 'certificates', 'secrets', 'system', 'audit'] as const;

/** What is set for the hub as a whole, and how it is. */
export default function SettingsPage({ me }: { me: Me }) {
  const { t } = useTranslation();
  return (
    <Page title={t('settings.title')}>
      <nav className={ui.tabs} aria-label={t('settings.title')}>
        {tabs.map((tab) => (
          <NavLink key={tab} to={`/settings/${tab}`} className={ui.tab ?? ''}>
            {t(`settings.tabs.${tab}`)}
          </NavLink>
        ))}
      </nav>
      <Suspense fallback={<Loading />}>
        <Routes>
          <Route index element={<Navigate to="/settings/system" replace />} />
          <Route path="access" element={<AccessTab me={me} />} />
          <Route path="certificates" element={<CertificatesTab />} />
          <Route path="secrets" element={<SecretsTab />} />
          <Route path="system" element={<SystemTab />} />
          <Route path="audit" element={<AuditTab />} />
          <Route path="*" element={<Navigate to="/settings/system" replace />} />
        </Routes>
      </Suspense>
    </Page>
  );
}
