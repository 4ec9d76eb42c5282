import { Button, NativeSelect } from '@mantine/core';
import { IconPlugConnected, IconPlus } from '@tabler/icons-react';
import { lazy, Suspense, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { type Connection, type Status, useConnections } from '@/shared/data/connections';
import { StatusBadge, statusOrder } from '@/shared/status';
import {
  EmptyState,
  ErrorMessage,
  Loading,
  Page,
  Panel,
  SearchField,
  ui,
  useListFilter,
} from '@/shared/ui';
import { addressOf } from '../address';
import { labelText } from '../Labels';
import { ConnectionTable } from './ConnectionTable';
import { inOrder, parseOrder, printOrder } from './order';

const BulkBar = lazy(() => import('./BulkBar'));

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
        {t('connections.all')} <b>{connections.length}</b>
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
          <b>{connections.filter((one) => one.state.status === status).length}</b>
        </button>
      ))}
    </fieldset>
  );
}

/** Every label that is in use, with how often. */
function labelsOf(connections: readonly Connection[]): [text: string, count: number][] {
  const counts = new Map<string, number>();
  for (const { labels } of connections) {
    for (const [key, value] of Object.entries(labels)) {
      const text = labelText(key, value);
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
  }
  return [...counts].sort(([a], [b]) => a.localeCompare(b));
}

const hasLabel = ({ labels }: Connection, wanted: string): boolean =>
  Object.entries(labels).some(([key, value]) => labelText(key, value) === wanted);

/** What of the connections is shown, in which order; kept in the address. */
function useShown(data: Connection[] | undefined) {
  const filter = useListFilter(data, searchableText);
  const { params } = filter;
  const label = params.get('label') ?? '';
  const sort = params.get('sort');
  const order = useMemo(() => parseOrder(sort), [sort]);
  const shown = useMemo(
    () => inOrder(label ? filter.shown.filter((one) => hasLabel(one, label)) : filter.shown, order),
    [filter.shown, label, order],
  );
  return { ...filter, shown, label, order };
}

/** All connections with their live state: the first page one sees. */
export default function ConnectionsPage() {
  const { t } = useTranslation();
  const { data, error, refetch } = useConnections();
  const { search, status, set, showAll, shown, label, order } = useShown(data);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const labels = useMemo(() => labelsOf(data ?? []), [data]);
  const live = useMemo(
    () => (data ?? []).filter((one) => chosen.has(one.id)).map((one) => one.id),
    [data, chosen],
  );
  const choose = (ids: readonly string[], on: boolean) =>
    setChosen((old) => {
      const next = new Set(old);
      for (const id of ids) {
        if (on) next.add(id);
        else next.delete(id);
      }
      return next;
    });

  const add = (
    <Button component={Link} to="/connections/new" leftSection={<IconPlus size={16} />}>
      {t('common.addConnection')}
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
            <SearchField
              label={t('connections.search')}
              value={search}
              onChange={(next) => set('q', next)}
            />
            <StatusFilter
              connections={data}
              chosen={status}
              onChoose={(next) => set('status', next)}
            />
            {labels.length > 0 && (
              <NativeSelect
                aria-label={t('connections.byLabel')}
                value={label}
                onChange={(event) => set('label', event.currentTarget.value)}
                data={[
                  { value: '', label: t('connections.anyLabel') },
                  ...labels.map(([text, count]) => ({ value: text, label: `${text} (${count})` })),
                ]}
              />
            )}
          </div>
          {live.length > 0 && (
            <Suspense>
              <BulkBar ids={live} onClear={() => setChosen(new Set())} />
            </Suspense>
          )}
          <Panel flush>
            {shown.length === 0 ? (
              <EmptyState
                title={
                  search || !status
                    ? t('connections.noneFound', { search: search || label })
                    : t('connections.noneInStatus', { status: t(`status.${status as Status}`) })
                }
                action={
                  <Button variant="default" onClick={showAll}>
                    {t('connections.showAll')}
                  </Button>
                }
              />
            ) : (
              <ConnectionTable
                connections={shown}
                order={order}
                onOrder={(next) => set('sort', printOrder(next))}
                chosen={chosen}
                onChoose={choose}
              />
            )}
          </Panel>
        </>
      )}
    </Page>
  );
}
