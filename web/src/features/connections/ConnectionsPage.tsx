import { Button, CloseButton, TextInput } from '@mantine/core';
import { IconPlugConnected, IconPlus, IconSearch } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { type Connection, type Status, useConnections } from '@/shared/data/connections';
import { StatusBadge, statusOrder } from '@/shared/status';
import {
  EmptyState,
  ErrorMessage,
  Lasting,
  Loading,
  Page,
  Panel,
  ui,
  useListFilter,
} from '@/shared/ui';
import { addressOf } from './address';
import classes from './connections.module.css';
import { useStateSentence } from './state-sentence';

function searchableText(connection: Connection): string {
  const labels = Object.entries(connection.labels).map(([key, value]) => `${key}:${value}`);
  return [
    connection.name,
    connection.type,
    connection.description,
    addressOf(connection),
    ...labels,
  ].join(' ');
}

function StatusFilter({
  connections,
  chosen,
  onChoose,
}: {
  connections: Connection[];
  chosen: string | null;
  onChoose: (status: string | null) => void;
}) {
  const { t } = useTranslation();
  const present = statusOrder.filter((status) =>
    connections.some((one) => one.state.status === status),
  );
  return (
    <fieldset className={ui.filters} aria-label={t('common.status')}>
      <button
        type="button"
        className={ui.filter}
        aria-pressed={chosen === null}
        onClick={() => onChoose(null)}
      >
        {t('connections.all')} <span className={classes.filterCount}>{connections.length}</span>
      </button>
      {present.map((status) => (
        <button
          key={status}
          type="button"
          className={ui.filter}
          aria-pressed={chosen === status}
          onClick={() => onChoose(chosen === status ? null : status)}
        >
          <StatusBadge plain status={status} />
          <span className={classes.filterCount}>
            {connections.filter((one) => one.state.status === status).length}
          </span>
        </button>
      ))}
    </fieldset>
  );
}

function Row({ connection }: { connection: Connection }) {
  const sentence = useStateSentence()(connection.state);
  return (
    <tr className={classes.row}>
      <td className={classes.statusCell}>
        <StatusBadge status={connection.state.status} />
      </td>
      <td className={classes.nameCell}>
        <Link to={`/connections/${connection.id}`} className={classes.rowLink}>
          {connection.name}
        </Link>
        {connection.description && <div className={classes.sub}>{connection.description}</div>}
      </td>
      <td className={ui.mono}>{connection.type}</td>
      <td className={`${ui.mono} ${ui.nowrap}`}>{addressOf(connection)}</td>
      <td className={classes.note} title={sentence}>
        {sentence}
      </td>
      <td>
        <span className={classes.labels}>
          {Object.entries(connection.labels).map(([key, value]) => (
            <span key={key} className={ui.label}>
              {key}: {value}
            </span>
          ))}
        </span>
      </td>
      <td data-number className={ui.nowrap}>
        <Lasting since={connection.state.since} />
      </td>
    </tr>
  );
}

/** All connections with their live state: the first page one sees. */
export function ConnectionsPage() {
  const { t } = useTranslation();
  const { data, error, refetch } = useConnections();
  const { search, status, set, showAll, shown } = useListFilter(data, searchableText);

  const add = (
    <Button component={Link} to="/connections/new" leftSection={<IconPlus size={16} />}>
      {t('connections.add')}
    </Button>
  );
  return (
    <Page title={t('connections.title')} actions={data && data.length > 0 ? add : undefined}>
      {error && <ErrorMessage error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Loading />}
      {data?.length === 0 && (
        <Panel>
          <EmptyState
            icon={<IconPlugConnected size={40} stroke={1.2} aria-hidden />}
            title={t('connections.empty')}
            text={t('connections.emptyText')}
            action={add}
          />
        </Panel>
      )}
      {data && data.length > 0 && (
        <>
          <div className={ui.toolbar}>
            <TextInput
              className={ui.search}
              aria-label={t('connections.search')}
              placeholder={t('connections.search')}
              leftSection={<IconSearch size={16} />}
              rightSection={
                search && (
                  <CloseButton
                    size="sm"
                    aria-label={t('connections.showAll')}
                    onClick={() => set('q', null)}
                  />
                )
              }
              value={search}
              onChange={(event) => set('q', event.currentTarget.value)}
            />
            <StatusFilter
              connections={data}
              chosen={status}
              onChoose={(next) => set('status', next)}
            />
          </div>
          <Panel flush>
            {shown.length === 0 ? (
              <EmptyState
                title={
                  search
                    ? t('connections.noneFound', { search })
                    : t('connections.noneInStatus', { status: t(`status.${status as Status}`) })
                }
                action={
                  <Button variant="default" onClick={showAll}>
                    {t('connections.showAll')}
                  </Button>
                }
              />
            ) : (
              <div className={ui.tableScroll}>
                <table className={`${ui.table} ${ui.rows}`}>
                  <thead>
                    <tr>
                      <th scope="col">{t('common.status')}</th>
                      <th scope="col">{t('common.name')}</th>
                      <th scope="col">{t('common.type')}</th>
                      <th scope="col">{t('connections.target')}</th>
                      <th scope="col">{t('connections.note')}</th>
                      <th scope="col">{t('connections.labels')}</th>
                      <th scope="col" data-number>
                        {t('connections.since')}
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {shown.map((connection) => (
                      <Row key={connection.id} connection={connection} />
                    ))}
                  </tbody>
                </table>
              </div>
            )}
          </Panel>
        </>
      )}
    </Page>
  );
}
