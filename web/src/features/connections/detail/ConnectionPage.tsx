import { Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { Navigate, NavLink, Outlet, useMatch, useOutletContext, useParams } from 'react-router';
import { CopyAs, connectionDocument } from '@/shared/copy';
import { type Connection, useConnection, useConnector } from '@/shared/data/connections';
import { ErrorMessage, Loading, Page, Tabs, ui } from '@/shared/ui';
import { ConnectionActions } from '../commands/ConnectionActions';
import { EnvironmentBadge } from '../environment';
import { Labels } from '../Labels';
import { StatusCard } from './StatusCard';

const tabs = [
  'overview',
  'values',
  'functions',
  'browse',
  'health',
  'events',
  'settings',
  'usedby',
] as const;

/** The connection whose page the tab is part of. */
export const useThisConnection = (): Connection => useOutletContext<Connection>();

/** A connection that is down is opened for its cause, any other one for its values. */
const firstTabOf = ({ state }: Connection) =>
  ['Disconnected', 'Reconnecting', 'Failed'].includes(state.status) ? 'overview' : 'values';

/** One connection: how it is, what one can do, and its tabs. */
export default function ConnectionPage() {
  const { t } = useTranslation();
  const { id = '' } = useParams();
  const { data: connection, error, refetch } = useConnection(id);
  const connector = useConnector(connection?.type);
  const noTabYet = useMatch('/connections/:id') !== null;
  const onOverview = useMatch('/connections/:id/overview') !== null;
  if (error && !connection) return <ErrorMessage error={error} onRetry={() => void refetch()} />;
  if (!connection) return <Loading />;
  const browses = connector.data?.capabilities.includes('browse') ?? false;
  return (
    <Page
      title={connection.name}
      aside={
        <>
          <EnvironmentBadge labels={connection.labels} />
          <Labels labels={connection.labels} />
        </>
      }
      actions={
        <>
          <CopyAs
            request={{ method: 'GET', path: `/connections/${id}` }}
            document={() => connectionDocument(connection)}
          />
          <ConnectionActions connection={connection} />
        </>
      }
    >
      {/* What the overview tells at length is not told twice. */}
      <StatusCard connection={connection} brief={onOverview} />
      <Tabs label={connection.name}>
        {tabs
          .filter((tab) => tab !== 'browse' || browses)
          .map((tab) => (
            <NavLink key={tab} to={tab} className={ui.tab ?? ''}>
              {t(`connection.tabs.${tab}`)}
            </NavLink>
          ))}
      </Tabs>
      <Suspense fallback={<Loading />}>
        {/* Decided here, not in a part that is loaded: it would overtake whoever has chosen a tab meanwhile. */}
        {noTabYet ? (
          <Navigate to={firstTabOf(connection)} replace />
        ) : (
          <Outlet context={connection} />
        )}
      </Suspense>
    </Page>
  );
}
