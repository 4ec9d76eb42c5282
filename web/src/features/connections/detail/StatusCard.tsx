import { useTranslation } from 'react-i18next';
import type { Connection } from '@/shared/data/connections';
import { formatTicking } from '@/shared/format';
import { StatusBadge } from '@/shared/status';
import { Ago, Fact, Facts, Lasting, Message, Panel, ui, useNow } from '@/shared/ui';
import { addressOf } from '../address';
import { Cause } from '../Cause';
import classes from '../connections.module.css';

/** How long until something happens. */
export function Countdown({ at }: { at: string }) {
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

const kTrying = ['Connecting', 'Disconnected', 'Reconnecting', 'Failed'];

/** Status, since when, what comes next, and, unless it is to be brief, why. */
export function StatusCard({ connection, brief }: { connection: Connection; brief?: boolean }) {
  const { t } = useTranslation();
  const { state } = connection;
  const { breaker, suspension } = state;
  const trying = kTrying.includes(state.status);
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
        {/* The cause matters while the connection is down; once it is up it is the story of the last outage. */}
        {trying && !brief && state.cause && (
          <Cause cause={state.cause} tone={state.status === 'Failed' ? 'bad' : 'alert'} />
        )}
      </div>
    </Panel>
  );
}
