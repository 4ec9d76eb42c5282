import { Button, NativeSelect } from '@mantine/core';
import { IconActivity, IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams, useSearchParams } from 'react-router';
import { useConnection, useConnector } from '@/shared/data/connections';
import { type HubFunction, useFunctions } from '@/shared/data/functions';
import { EmptyState, ErrorMessage, Loading, Message, Panel } from '@/shared/ui';
import { LiveRecords, LiveTable, numberOf, useLivePoints } from '@/shared/values';
import { ChartPanel } from './ChartPanel';
import classes from './values.module.css';

function LiveValues({ fn, tools }: { fn: HubFunction; tools: React.ReactNode }) {
  const { t } = useTranslation();
  const points = useLivePoints(fn);
  const [chosen, setChosen] = useState<string | null>(null);
  const all = points.series.points;
  const first = all.find((point) => numberOf(point.sample.value) !== null) ?? all[0];
  const current = all.find((point) => point.name === chosen) ?? first;
  return (
    <>
      <LiveRecords series={points.series} />
      <div className={classes.layout}>
        <Panel flush title={t('connection.tabs.values')} aside={tools}>
          {fn.subscription?.error && <Message tone="bad">{fn.subscription.error.message}</Message>}
          <LiveTable points={points} chosen={current?.name} onChoose={setChosen} />
        </Panel>
        <div className={classes.chartColumn}>
          {current && (
            <ChartPanel
              series={points.series}
              point={current.name}
              live={points.live}
              quality={points.qualityOf(current)}
            />
          )}
        </div>
      </div>
    </>
  );
}

/** How many points a subscription names. The one with the most is shown first. */
function sizeOf({ settings }: HubFunction): number {
  const list = settings.points ?? settings.nodes ?? settings.topics;
  return Array.isArray(list) ? list.length : 0;
}

/** What the connection's subscriptions report, as it comes. */
export default function ValuesTab() {
  const { t } = useTranslation();
  const { id = '' } = useParams();
  const [params, setParams] = useSearchParams();
  const functions = useFunctions(id);
  const connection = useConnection(id);
  const connector = useConnector(connection.data?.type);
  if (functions.error)
    return <ErrorMessage error={functions.error} onRetry={() => void functions.refetch()} />;
  if (!functions.data) return <Loading />;
  const subscriptions = functions.data.filter((fn) => fn.kind === 'subscribe');
  const richest = subscriptions.toSorted((a, b) => sizeOf(b) - sizeOf(a))[0];
  const chosen = subscriptions.find((fn) => fn.id === params.get('function')) ?? richest;
  const type = connector.data?.functions.find((one) => one.kind === 'subscribe')?.type;
  if (!chosen) {
    return (
      <Panel>
        <EmptyState
          icon={<IconActivity size={40} stroke={1.2} aria-hidden />}
          title={t('values.empty')}
          text={t('values.emptyText')}
          action={
            <Button
              component={Link}
              to={`/connections/${id}/functions/new${type ? `?type=${type}` : ''}`}
              leftSection={<IconPlus size={16} />}
            >
              {t('values.emptyAction')}
            </Button>
          }
        />
      </Panel>
    );
  }
  return (
    <LiveValues
      key={chosen.id}
      fn={chosen}
      tools={
        subscriptions.length > 1 ? (
          <NativeSelect
            size="xs"
            aria-label={t('values.subscription')}
            value={chosen.id}
            data={subscriptions.map((fn) => ({ value: fn.id, label: fn.name }))}
            onChange={(event) =>
              setParams({ function: event.currentTarget.value }, { replace: true })
            }
          />
        ) : (
          <span className={classes.time}>{chosen.name}</span>
        )
      }
    />
  );
}
