import { useTranslation } from 'react-i18next';
import { useParams } from 'react-router';
import { api, ask } from '@/shared/api';
import { CopyAs } from '@/shared/copy';
import { hubNow } from '@/shared/data/clock';
import { ErrorMessage, Loading, Panel, saveFile, useAddress } from '@/shared/ui';
import { everyEvent, useEvents, useHealth } from './data';
import { ExportMenu } from './ExportMenu';
import { Events } from './events/Events';
import { Figures } from './Figures';
import classes from './health.module.css';
import { PeriodPicker } from './PeriodPicker';
import { boundsOf, isoOf, keyOf, type Period } from './period';
import { Timeline } from './timeline/Timeline';
import { usePeriod } from './use-period';

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

/** The files that tell of one connection's past. CSV of events is made by the hub. */
function useFiles(id: string, period: Period) {
  const { t } = useTranslation();
  const path = { id };
  const query = () => isoOf(boundsOf(period, hubNow()));
  return [
    {
      label: t('health.files.eventsCsv'),
      save: async () => {
        const text = await ask(
          api.GET('/connections/{id}/events', {
            params: { path, query: { ...query(), format: 'csv' } },
            parseAs: 'text',
          }),
        );
        saveFile(`events-${id}.csv`, 'text/csv', text as string);
      },
    },
    {
      label: t('health.files.eventsJson'),
      save: async () =>
        saveFile(`events-${id}.json`, 'application/json', json(await everyEvent(id, period))),
    },
    {
      label: t('health.files.healthJson'),
      save: async () => {
        const health = await ask(
          api.GET('/connections/{id}/health', { params: { path, query: query() } }),
        );
        saveFile(`health-${id}.json`, 'application/json', json(health));
      },
    },
  ];
}

/** The past of a connection: where its time went, and every change. */
export default function HealthTab() {
  const { t } = useTranslation();
  const { id = '' } = useParams();
  const chosen = usePeriod(useAddress());
  const { period, bounds, zoom } = chosen;
  const health = useHealth(id, period);
  const events = useEvents(id, period);
  const files = useFiles(id, period);
  const error = health.error ?? events.error;
  return (
    <div className={classes.column}>
      <div className={classes.controls}>
        <PeriodPicker {...chosen} />
        <ExportMenu files={files} />
        <CopyAs
          request={() => ({
            method: 'GET',
            path: `/connections/${id}/health?${new URLSearchParams(isoOf(boundsOf(period, hubNow())))}`,
          })}
        />
      </div>
      {error && (
        <ErrorMessage
          error={error}
          onRetry={() => {
            void health.refetch();
            void events.refetch();
          }}
        />
      )}
      <Panel
        title={t('health.timeline')}
        aside={<span className={classes.small}>{t('health.zoomHelp')}</span>}
      >
        {health.data ? (
          <div className={classes.column}>
            <Timeline segments={health.data.timeline} bounds={bounds} onZoom={zoom} />
            <Figures figures={health.data} />
          </div>
        ) : (
          !health.error && <Loading />
        )}
      </Panel>
      <Panel flush title={t('health.events')}>
        {events.data ? (
          <Events key={keyOf(period)} events={events.data} />
        ) : (
          !events.error && <Loading />
        )}
      </Panel>
    </div>
  );
}
