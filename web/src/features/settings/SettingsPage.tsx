import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { Navigate, NavLink, Route, Routes, useLocation } from 'react-router';
import { CopyAs } from '@/shared/copy';
import type { Me } from '@/shared/data/session';
import { Loading, Page, Tabs, ui } from '@/shared/ui';

const AccessTab = lazy(() => import('./AccessTab'));
const CertificatesTab = lazy(() => import('./CertificatesTab'));
const SecretsTab = lazy(() => import('./SecretsTab'));
const SystemTab = lazy(() => import('./SystemTab'));
const AuditTab = lazy(() => import('./AuditTab'));

const tabs = ['access', 'certificates', 'secrets', 'system', 'audit'] as const;

/** What the hub is asked for by a tab. Nothing of it holds a secret in clear: tokens and secrets are never given back. */
function requestOf(pathname: string, search: string): string | null {
  const tab = tabs.find((one) => pathname === `/settings/${one}`);
  switch (tab) {
    case 'access':
      return '/tokens';
    case 'audit': {
      const q = new URLSearchParams(search).get('q')?.trim();
      return q ? `/audit?${new URLSearchParams({ q })}` : '/audit';
    }
    case undefined:
      return null;
    default:
      return `/${tab}`;
  }
}

/** What is set for the hub as a whole, and how it is. */
export default function SettingsPage({ me }: { me: Me }) {
  const { t } = useTranslation();
  const { pathname, search } = useLocation();
  const path = requestOf(pathname, search);
  return (
    <Page
      title={t('settings.title')}
      actions={path && <CopyAs request={{ method: 'GET', path }} />}
    >
      <Tabs label={t('settings.title')}>
        {tabs.map((tab) => (
          <NavLink key={tab} to={`/settings/${tab}`} className={ui.tab ?? ''}>
            {t(`settings.tabs.${tab}`)}
          </NavLink>
        ))}
      </Tabs>
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
