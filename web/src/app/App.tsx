import { MantineProvider } from '@mantine/core';
import {
  type Query,
  type QueryClient,
  QueryClientProvider,
  useQueryClient,
} from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { I18nextProvider } from 'react-i18next';
import { createBrowserRouter, RouterProvider } from 'react-router';
import { SignInAgain, SignInPage } from '@/features/auth';
import { onSessionEnd, settleSession } from '@/shared/api/session';
import { type Me, sessionKeys, useLeft, useMe, useNeedsSetup } from '@/shared/data/session';
import { i18n } from '@/shared/i18n';
import { type LiveClient, LiveProvider, makeLiveClient } from '@/shared/live';
import { theme } from '@/shared/theme/theme';
import { ErrorBoundary, ErrorMessage, Loading } from '@/shared/ui';
import { page } from './page';
import { makeQueryClient } from './query-client';
import { AppRoutes } from './routes';

// What is said before they are there waits in their store.
const Notices = lazy(() => import('./Notices'));
// Needed once in the life of a hub.
const SetupPage = page('auth', () => import('@/features/auth/SetupPage'));

/** The person who is signed in, or was until the session ended by itself; null before, and after signing out. */
function usePerson() {
  const client = useQueryClient();
  const me = useMe();
  const left = useLeft();
  const [last, setLast] = useState<Me | null>(null);
  const { data } = me;
  const known = useRef<Me | null>(null);
  useEffect(() => onSessionEnd(() => client.setQueryData(sessionKeys.me, null)), [client]);
  useEffect(() => {
    if (!data) return;
    client.setQueryData(sessionKeys.left, false);
    const before = known.current;
    known.current = data;
    setLast(data);
    if (!before) return;
    const same = before.name === data.name && before.role === data.role;
    const others = { predicate: (query: Query) => query.queryKey[0] !== 'session' };
    if (same) void client.invalidateQueries(others);
    else client.removeQueries(others);
    settleSession(same);
  }, [data, client]);
  useEffect(() => {
    if (!left) return;
    known.current = null;
    setLast(null);
    settleSession(false);
  }, [left]);
  return { me, person: data ?? (left ? null : last) };
}

function Gate({ makeLive }: { makeLive: () => LiveClient }) {
  const { me, person } = usePerson();
  const setup = useNeedsSetup(me.data === null);
  const [live, setLive] = useState<LiveClient | null>(null);
  const signedIn = me.data ? `${me.data.name} ${me.data.role}` : null;
  const nobody = person === null;
  useEffect(() => {
    // Each session has a live client of its own; nothing of the last one's data is left behind.
    if (signedIn !== null) setLive(makeLive());
    else if (nobody) setLive(null);
  }, [signedIn, nobody, makeLive]);

  if (me.error && !person)
    return <ErrorMessage error={me.error} onRetry={() => void me.refetch()} />;
  if (me.data === null && !person) {
    if (setup.error)
      return <ErrorMessage error={setup.error} onRetry={() => void setup.refetch()} />;
    if (setup.data === undefined) return <Loading />;
    return setup.data ? (
      <Suspense fallback={<Loading />}>
        <SetupPage />
      </Suspense>
    ) : (
      <SignInPage />
    );
  }
  if (!person || !live) return <Loading />;
  return (
    <>
      <LiveProvider client={live}>
        <AppRoutes key={`${person.name} ${person.role}`} me={person} />
      </LiveProvider>
      {me.data === null && <SignInAgain name={person.name} />}
    </>
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
            <Suspense>
              <Notices />
            </Suspense>
            <RouterProvider router={router} />
          </QueryClientProvider>
        </ErrorBoundary>
      </MantineProvider>
    </I18nextProvider>
  );
}
