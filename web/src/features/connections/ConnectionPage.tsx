import { Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { NavLink, Outlet, useParams } from 'react-router';
import { CopyAs, connectionDocument } from '@/shared/copy';
import { useConnection } from '@/shared/data/connections';
import { ErrorMessage, Loading, Page, ui } from '@/shared/ui';
import { ConnectionActions } from './ConnectionActions';
import classes from './connections.module.css';
import { StatusCard } from './StatusCard';

const tabs = ['values', 'functions', 'health'] as const;

/** One connection: how it is, what one can do, and its tabs. */
export default function ConnectionPage() {
  const { t } = useTranslation();
  const { id = '' } = useParams();
  const { data: connection, error, refetch } = useConnection(id);
  if (error) return <ErrorMessage error={error} onRetry={() => void refetch()} />;
  if (!connection) return <Loading />;
  return (
    <Page
      title={connection.name}
      aside={
        <span className={classes.labels}>
          {Object.entries(connection.labels).map(([key, value]) => (
            <span key={key} className={ui.label}>
              {key}: {value}
            </span>
          ))}
        </span>
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
      <StatusCard connection={connection} />
      <nav className={classes.tabs} aria-label={connection.name}>
        {tabs.map((tab) => (
          <NavLink key={tab} to={tab} className={classes.tab ?? ''}>
            {t(`connection.tabs.${tab}`)}
          </NavLink>
        ))}
      </nav>
      <Suspense fallback={<Loading />}>
        <Outlet />
      </Suspense>
    </Page>
  );
}
