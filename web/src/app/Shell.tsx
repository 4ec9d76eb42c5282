import { ActionIcon, Tooltip, useMantineColorScheme } from '@mantine/core';
import {
  IconAlertTriangle,
  IconHeartbeat,
  IconLogout,
  IconMoon,
  IconPlugConnected,
  IconRoute,
  IconSearch,
  IconServerCog,
  IconSun,
} from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, NavLink, Outlet, useLocation } from 'react-router';
import { api, ask } from '@/shared/api';
import { announceSessionEnd } from '@/shared/api/session';
import { useConnections, useLiveConnections } from '@/shared/data/connections';
import { type Me, useSignedOut } from '@/shared/data/session';
import { useLiveStatus } from '@/shared/live';
import {
  ErrorBoundary,
  Loading,
  notifyFailed,
  ToneBadge,
  useCurrentInView,
  useErrorText,
} from '@/shared/ui';
import { Brand } from '@/shared/ui/Brand';
import { LiveBadge } from './LiveBadge';
import { withTexts } from './page';
import { useRememberPages } from './palette/recent';
import { PreferencesButton } from './preferences/PreferencesButton';
import classes from './Shell.module.css';
import { useFocusOnRoute } from './use-focus-on-route';
import { useShortcuts } from './use-shortcuts';

const loadPalette = () => withTexts('palette', import('./palette/Palette'));
const Palette = lazy(loadPalette);
const ShortcutsDialog = lazy(() => import('./ShortcutsDialog'));

const kPaletteAfterMs = 1500;

const links = [
  { to: '/connections', key: 'nav.connections', icon: IconPlugConnected },
  { to: '/health', key: 'nav.health', icon: IconHeartbeat },
  { to: '/pipelines', key: 'nav.pipelines', icon: IconRoute },
  { to: '/settings', key: 'nav.settings', icon: IconServerCog },
] as const;

function FailedCount() {
  const { data = [] } = useConnections();
  const { t } = useTranslation();
  const failed = data.filter(
    ({ state }) => state.status === 'Failed' || state.status === 'Disconnected',
  );
  if (failed.length === 0) return null;
  return (
    <span className={classes.count} title={`${t('status.Failed')}, ${t('status.Disconnected')}`}>
      <ToneBadge tone="bad" icon={IconAlertTriangle}>
        {failed.length}
      </ToneBadge>
    </span>
  );
}

function ThemeButton() {
  const { t } = useTranslation();
  // Keeping the transitions saves Mantine an inline style element, which the content security policy forbids.
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const dark =
    colorScheme === 'dark' ||
    (colorScheme === 'auto' && document.documentElement.dataset.mantineColorScheme === 'dark');
  const label = dark ? t('nav.theme.light') : t('nav.theme.dark');
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={label}
        onClick={() => setColorScheme(dark ? 'light' : 'dark')}
      >
        {dark ? <IconSun size={18} /> : <IconMoon size={18} />}
      </ActionIcon>
    </Tooltip>
  );
}

/** Navigation, the state of the live line, and the page. */
export function Shell({ me }: { me: Me }) {
  const { t } = useTranslation();
  const location = useLocation();
  const signedOut = useSignedOut();
  const liveStatus = useLiveStatus();
  const errorText = useErrorText();
  const content = useRef<HTMLElement>(null);
  const [open, setOpen] = useState<'palette' | 'shortcuts' | null>(null);
  const pages = useMemo(() => links.map(({ to, key }) => ({ to, label: t(key) })), [t]);
  useLiveConnections();
  useRememberPages();
  useEffect(() => {
    // Who presses Ctrl-K types on at once: it should be there by then.
    const timer = setTimeout(() => void loadPalette(), kPaletteAfterMs);
    return () => clearTimeout(timer);
  }, []);
  useFocusOnRoute(content);
  useShortcuts({ palette: () => setOpen('palette'), help: () => setOpen('shortcuts') });
  useEffect(() => {
    if (liveStatus === 'signedOut') announceSessionEnd();
  }, [liveStatus]);
  const logout = useMutation({
    mutationFn: () => ask(api.POST('/auth/logout')),
    onSuccess: signedOut,
    onError: (error) => notifyFailed(t('error.failed'), errorText(error).message),
  });
  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#content">
        {t('app.skip')}
      </a>
      <nav className={classes.nav} aria-label={t('nav.label')}>
        <Link to="/connections" className={classes.brand}>
          <Brand />
        </Link>
        <button
          type="button"
          className={classes.palette}
          title={t('palette.open')}
          onClick={() => setOpen('palette')}
        >
          <IconSearch size={16} aria-hidden />
          <span>{t('palette.short')}</span>
          <kbd aria-hidden>Ctrl K</kbd>
        </button>
        <ul ref={useCurrentInView<HTMLUListElement>()} className={classes.links}>
          {links.map(({ to, key, icon: Icon }) => (
            <li key={to}>
              <NavLink to={to} className={classes.link ?? ''}>
                <Icon size={18} aria-hidden />
                {t(key)}
                {to === '/connections' && <FailedCount />}
              </NavLink>
            </li>
          ))}
        </ul>
        <div className={classes.foot}>
          <LiveBadge />
          <div className={classes.who}>
            <span className={classes.whoName} title={t('nav.signedInAs', { name: me.name })}>
              {me.name}
            </span>
            <ThemeButton />
            <PreferencesButton />
            <Tooltip label={t('nav.signOut')}>
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={t('nav.signOut')}
                loading={logout.isPending}
                onClick={() => logout.mutate()}
              >
                <IconLogout size={18} />
              </ActionIcon>
            </Tooltip>
          </div>
        </div>
      </nav>
      <main id="content" ref={content} className={classes.main} tabIndex={-1}>
        <ErrorBoundary resetKey={location.pathname}>
          <Suspense fallback={<Loading />}>
            <Outlet />
          </Suspense>
        </ErrorBoundary>
      </main>
      <Suspense>
        {open === 'shortcuts' && <ShortcutsDialog onClose={() => setOpen(null)} />}
        {open === 'palette' && (
          <Palette
            pages={pages}
            onClose={() => setOpen(null)}
            onSignOut={() => logout.mutate()}
            onShortcuts={() => setOpen('shortcuts')}
          />
        )}
      </Suspense>
    </div>
  );
}
