import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { type QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { I18nextProvider } from 'react-i18next';
import { createBrowserRouter, RouterProvider } from 'react-router';
import { SetupPage, SignInPage } from '@/features/auth';
import { useMe, useNeedsSetup } from '@/shared/data/session';
import { i18n } from '@/shared/i18n';
import { type LiveClient, LiveProvider, makeLiveClient } from '@/shared/live';
import { theme } from '@/shared/theme/theme';
import { ErrorBoundary, ErrorMessage, Loading } from '@/shared/ui';
import { makeQueryClient } from './query-client';
import { AppRoutes } from './routes';

function Gate({ makeLive }: { makeLive: () => LiveClient }) {
  const me = useMe();
  const setup = useNeedsSetup(me.data === null);
  const [wasSignedIn, setWasSignedIn] = useState(false);
  const [live, setLive] = useState<LiveClient | null>(null);
  const name = me.data?.name;
  useEffect(() => {
    // Each session has a live client of its own; nothing of the last one's data is left behind.
    setLive(name === undefined ? null : makeLive());
    if (name !== undefined) setWasSignedIn(true);
  }, [name, makeLive]);

  if (me.error) return <ErrorMessage error={me.error} onRetry={() => void me.refetch()} />;
  if (me.data === null) {
    if (setup.error)
      return <ErrorMessage error={setup.error} onRetry={() => void setup.refetch()} />;
    if (setup.data === undefined) return <Loading />;
    return setup.data ? <SetupPage /> : <SignInPage ended={wasSignedIn} />;
  }
  if (!me.data || !live) return <Loading />;
  return (
    <LiveProvider client={live}>
      <AppRoutes me={me.data} />
    </LiveProvider>
  );
}

interface AppProps {
  queryClient?: QueryClient;
  makeLive?: () => LiveClient;
}

/** Everything. Mantine writes no style elements of its own: see theme-css.ts. */
export function App({ queryClient, makeLive = makeLiveClient }: AppProps) {
  const [client] = useState(() => queryClient ?? makeQueryClient());
  // A data router, because only it can hold a navigation back (useLeaveGuard). Its routes are those of AppRoutes.
  const [router] = useState(() =>
    createBrowserRouter([
      {
        path: '*',
        element: (
          <ErrorBoundary>
            <Gate makeLive={makeLive} />
          </ErrorBoundary>
        ),
      },
    ]),
  );
  return (
    <I18nextProvider i18n={i18n}>
      <MantineProvider
        theme={theme}
        defaultColorScheme="auto"
        withCssVariables={false}
        withGlobalClasses={false}
      >
        <ErrorBoundary>
          <QueryClientProvider client={client}>
            <Notifications position="bottom-right" />
            <RouterProvider router={router} />
          </QueryClientProvider>
        </ErrorBoundary>
      </MantineProvider>
    </I18nextProvider>
  );
}
