import { Button } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import type { Connection } from '@/shared/data/connections';
import { useFunctions } from '@/shared/data/functions';
import { formatMoment } from '@/shared/format';
import { ErrorMessage, Fact, Facts, Loading, Message, Panel } from '@/shared/ui';
import { Cause } from '../Cause';
import classes from '../connections.module.css';
import { type Explanation, useExplanation, useTestNow } from '../data';
import { DiagnosisResult } from '../diagnosis/DiagnosisResult';
import { TrustDialog } from '../trust/TrustDialog';
import { useThisConnection } from './ConnectionPage';
import { WhyDown } from './WhyDown';

/** Nothing is wrong: what it is for, and what happened last. */
function AllWell({
  connection,
  explanation,
  testing,
  onTest,
}: {
  connection: Connection;
  explanation: Explanation;
  testing: boolean;
  onTest: () => void;
}) {
  const { t } = useTranslation();
  const functions = useFunctions(connection.id);
  const { state, nextMaintenance } = connection;
  return (
    <Panel
      title={t('overview.title')}
      aside={
        <Button size="compact-sm" variant="default" loading={testing} onClick={onTest}>
          {t('why.test')}
        </Button>
      }
    >
      <div className={classes.column}>
        <p className={classes.summary}>{explanation.summary}</p>
        {connection.description && <p className={classes.quiet}>{connection.description}</p>}
        <Facts>
          <Fact name={t('overview.start')}>
            {t(`connection.autostart.${connection.autostart ? 'on' : 'off'}`)}
          </Fact>
          {functions.data && (
            <Fact name={t('functions.title')}>
              <Link to={`/connections/${connection.id}/functions`}>{functions.data.length}</Link>
            </Fact>
          )}
          <Fact name={t('overview.changed')}>
            {t('overview.version', {
              version: connection.version,
              at: formatMoment(connection.updatedAt),
            })}
          </Fact>
          {nextMaintenance && (
            <Fact name={t('overview.maintenance')}>
              {nextMaintenance.name}, {formatMoment(nextMaintenance.from)}
            </Fact>
          )}
        </Facts>
        {explanation.alarms.map((alarm) => (
          <Message key={alarm.id} tone="warn">
            {alarm.message}
          </Message>
        ))}
        {state.cause && (
          <section aria-label={t('connection.lastCause')}>
            <h3 className={classes.partTitle}>{t('connection.lastCause')}</h3>
            <Cause cause={state.cause} tone="neutral" />
          </section>
        )}
        {functions.data?.length === 0 && (
          <Message
            tone="info"
            action={
              <Button
                size="compact-sm"
                component={Link}
                to={`/connections/${connection.id}/functions/new`}
              >
                {t('functions.add')}
              </Button>
            }
          >
            {t('functions.emptyText')}
          </Message>
        )}
      </div>
    </Panel>
  );
}

/** How it is, and when it is not well, why. */
export default function OverviewTab() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const connection = useThisConnection();
  const { data: explanation, error, refetch } = useExplanation(connection.id);
  const test = useTestNow(connection.id);
  const [trusting, setTrusting] = useState(false);
  if (error && !explanation) return <ErrorMessage error={error} onRetry={() => void refetch()} />;
  if (!explanation) return <Loading />;
  const common = {
    connection,
    explanation,
    testing: test.isPending,
    onTest: () => test.mutate(),
  };
  return (
    <>
      {explanation.down ? (
        <WhyDown {...common} onTrust={() => setTrusting(true)} />
      ) : (
        <AllWell {...common} />
      )}
      {(test.data || test.error || test.isPending) && (
        <Panel title={t('diagnosis.title')}>
          {test.error && <ErrorMessage error={test.error} />}
          <DiagnosisResult
            diagnosis={test.data}
            pending={test.isPending}
            stale={false}
            about={{ type: connection.type, settings: connection.settings }}
            onGoTo={(pointer) => void navigate(`/connections/${connection.id}/settings#${pointer}`)}
            onTrust={() => setTrusting(true)}
          />
        </Panel>
      )}
      {trusting && <TrustDialog connection={connection} onClose={() => setTrusting(false)} />}
    </>
  );
}
