import { useTranslation } from 'react-i18next';
import type { Connection, ConnectionState } from '@/shared/data/connections';
import { formatTicking } from '@/shared/format';
import { StatusBadge } from '@/shared/status';
import { Ago, Fact, Facts, Lasting, Message, Panel, type Tone, ui, useNow } from '@/shared/ui';
import { addressOf } from './address';
import classes from './connections.module.css';

function Countdown({ at }: { at: string }) {
  const { t } = useTranslation();
  const now = useNow(250);
  const left = Date.parse(at) - now;
  return (
    <span className={classes.countdown}>
      {left <= 0
        ? t('time.now')
        : t('time.in', { span: formatTicking(Math.ceil(left / 1000) * 1000, t) })}
    </span>
  );
}

const causeTone = (state: ConnectionState): Tone =>
  state.status === 'Failed' ? 'bad' : state.status === 'Connected' ? 'neutral' : 'alert';

/** The cause matters while the connection is down; once it is up it is the story of the last outage. */
function Cause({ state }: { state: ConnectionState }) {
  const { t } = useTranslation();
  const { cause, status } = state;
  if (!cause || status === 'Connected' || status === 'Idle' || status === 'Suspended') return null;
  return (
    <Message tone={causeTone(state)}>
      <p>
        <strong>{t(`connection.errorClass.${cause.class}`)}</strong> {cause.message}
      </p>
      {cause.hint && <p>{cause.hint}</p>}
      <p className={ui.reference}>
        {cause.code}
        {cause.at && (
          <>
            {' · '}
            <Ago at={cause.at} />
          </>
        )}
      </p>
    </Message>
  );
}

/** Status, since when, why, and what comes next. */
export function StatusCard({ connection }: { connection: Connection }) {
  const { t } = useTranslation();
  const { state } = connection;
  const { breaker, suspension } = state;
  const trying = ['Connecting', 'Disconnected', 'Reconnecting', 'Failed'].includes(state.status);
  return (
    <Panel flush>
      <div className={classes.statusCard}>
        <div className={classes.statusLine}>
          <StatusBadge large status={state.status} />
          <Facts>
            <Fact name={t('connection.since')}>
              <Lasting since={state.since} />
            </Fact>
            {state.nextAttemptAt && (
              <Fact name={t('connection.nextAttempt')}>
                <Countdown at={state.nextAttemptAt} />
              </Fact>
            )}
            {trying && state.attempt > 0 && (
              <Fact name={t('connection.attempt')}>{state.attempt}</Fact>
            )}
            {(breaker.state !== 'closed' || breaker.consecutiveFailures > 0) && (
              <Fact name={t('connection.breaker')} title={t('connection.breakerHelp')}>
                {t(`connection.breakerState.${breaker.state}`)}
                {breaker.consecutiveFailures > 0 &&
                  `, ${t('connection.failures', { count: breaker.consecutiveFailures })}`}
                {breaker.openUntil && (
                  <>
                    , <Ago at={breaker.openUntil} />
                  </>
                )}
              </Fact>
            )}
            <Fact name={t('connection.type')}>
              <span className={ui.mono}>{connection.type}</span>
            </Fact>
            <Fact name={t('connection.address')}>
              <span className={ui.mono}>{addressOf(connection)}</span>
            </Fact>
          </Facts>
        </div>
        {state.degraded && (
          <Message tone="warn">
            <strong>{t('connection.degraded')}</strong> {state.degraded}
          </Message>
        )}
        {suspension && (
          <Message tone="hold">
            <p>
              <strong>{suspension.reason}</strong>
            </p>
            <p>
              {t('connection.suspendedBy')} {suspension.by}, <Ago at={suspension.at} />
              {'. '}
              {t('connection.until')}:{' '}
              {suspension.until ? <Ago at={suspension.until} /> : t('connection.untilResumed')}
            </p>
          </Message>
        )}
        <Cause state={state} />
      </div>
    </Panel>
  );
}
