import { Button } from '@mantine/core';
import { IconHeartbeat } from '@tabler/icons-react';
import { useCallback, useEffect, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { CopyAs } from '@/shared/copy';
import { hubNow } from '@/shared/data/clock';
import { EmptyState, ErrorMessage, Loading, Panel, saveFile, useAddress } from '@/shared/ui';
import { everySummary, type Filters, systemRequest, useSystemHealth } from '../data';
import { ExportMenu } from '../ExportMenu';
import { figuresCsv } from '../figures-csv';
import classes from '../health.module.css';
import { PeriodPicker } from '../PeriodPicker';
import { boundsOf, isoOf, type Period } from '../period';
import { usePeriod } from '../use-period';
import { FailureBoard } from './FailureBoard';
import { FilterBar } from './FilterBar';
import { Issues } from './Issues';
import { Timelines } from './Timelines';
import { Totals } from './Totals';
import { useFilters } from './use-filters';

function useFiles(period: Period, filters: Filters) {
  const { t } = useTranslation();
  const bounds = () => boundsOf(period, hubNow());
  return [
    {
      label: t('health.files.figuresCsv'),
      save: async () =>
        saveFile(
          'connection-health.csv',
          'text/csv',
          figuresCsv(await everySummary(period, filters), bounds()),
        ),
    },
    {
      label: t('health.files.figuresJson'),
      save: async () => {
        const connections = await everySummary(period, filters);
        const all = { ...isoOf(bounds()), connections };
        const text = `${JSON.stringify(all, null, 2)}\n`;
        saveFile('connection-health.json', 'application/json', text);
      },
    },
  ];
}

/** All connections: how many are how, what is wrong now, the worst, and the time of each. */
export default function Overview() {
  const { t } = useTranslation();
  const address = useAddress();
  const chosen = usePeriod(address);
  const filters = useFilters(address);
  const { search, status } = filters;
  const query = useSystemHealth(chosen.period, filters.filters);
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const files = useFiles(chosen.period, filters.filters);
  const more = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const narrowed = search !== '' || status !== null;
  useEffect(() => {
    // Names and statuses are looked for here, and so in all of them.
    if (narrowed && hasNextPage && !isFetchingNextPage) more();
  }, [narrowed, hasNextPage, isFetchingNextPage, more]);
  const items = useMemo(() => {
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    return (data?.pages ?? [])
      .flatMap((page) => page.items)
      .filter(
        (one) =>
          (!status || one.status === status) &&
          words.every((word) => one.name.toLowerCase().includes(word)),
      );
  }, [data, search, status]);
  const [health] = data?.pages ?? [];
  const empty = health?.connections === 0 && !filters.any;
  return (
    <div className={classes.column}>
      <div className={classes.controls}>
        <PeriodPicker {...chosen} />
        <ExportMenu files={files} />
        <CopyAs request={() => systemRequest(chosen.period, filters.filters)} />
      </div>
      {error && <ErrorMessage error={error} onRetry={() => void query.refetch()} />}
      {!health && !error && <Loading />}
      {empty && (
        <Panel>
          <EmptyState
            icon={<IconHeartbeat size={40} stroke={1.2} aria-hidden />}
            title={t('health.empty')}
            text={t('health.emptyText')}
            action={
              <Button component={Link} to="/connections/new">
                {t('common.addConnection')}
              </Button>
            }
          />
        </Panel>
      )}
      {health && !empty && (
        <>
          <FilterBar chosen={filters} />
          <Totals health={health} chosen={filters} />
          <Issues health={health} period={chosen.period} />
          <FailureBoard health={health} />
          <Timelines
            items={items}
            more={hasNextPage}
            fetching={isFetchingNextPage}
            onMore={more}
            chosen={chosen}
            filters={filters}
          />
        </>
      )}
    </div>
  );
}
