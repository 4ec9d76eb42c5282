import { Button, Group } from '@mantine/core';
import { IconArrowRight } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { Connection } from '@/shared/data/connections';
import { formatMoment } from '@/shared/format';
import { Ago, Fact, Facts, Lasting, Message, Panel, TableScroll, ui } from '@/shared/ui';
import { Cause } from '../Cause';
import classes from '../connections.module.css';
import type { Explanation } from '../data';
import { Countdown } from './StatusCard';

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title}>
      <h3 className={classes.partTitle}>{title}</h3>
      {children}
    </section>
  );
}

function Causes({ causes }: { causes: Explanation['causes'] }) {
  const { t } = useTranslation();
  return (
    <TableScroll>
      <table className={ui.table}>
        <thead>
          <tr>
            <th scope="col">{t('why.code')}</th>
            <th scope="col" data-number>
              {t('why.count')}
            </th>
            <th scope="col">{t('why.first')}</th>
            <th scope="col">{t('why.last')}</th>
          </tr>
        </thead>
        <tbody>
          {causes.map((cause) => (
            <tr key={`${cause.class} ${cause.code}`}>
              <td className={ui.mono}>{cause.code}</td>
              <td data-number>{cause.count}</td>
              <td>{formatMoment(cause.firstAt)}</td>
              <td>{formatMoment(cause.lastAt)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

function Changes({ changes }: { changes: Explanation['changedBefore'] }) {
  const { t } = useTranslation();
  if (changes.length === 0) return <p className={classes.quiet}>{t('why.nothingChanged')}</p>;
  return (
    <ul className={classes.hits}>
      {changes.map((change) => (
        <li key={`${change.at} ${change.kind} ${change.what}`}>
          {formatMoment(change.at)} · {t(`why.changeKind.${change.kind}`)} · {change.what}
          {change.by && ` ${t('why.by', { name: change.by })}`}
        </li>
      ))}
    </ul>
  );
}

function Hit({ hit }: { hit: Explanation['hit'] }) {
  const { t } = useTranslation();
  if (hit.functions.length === 0 && hit.pipelines.length === 0)
    return <p className={classes.quiet}>{t('impact.nothing')}</p>;
  return (
    <ul className={classes.hits}>
      {hit.pipelines.map((one) => (
        <li key={one.id}>
          {t('why.pipeline')} <Link to={`/pipelines/${one.id}`}>{one.name}</Link> (
          {t(`impact.use.${one.uses}`)})
        </li>
      ))}
      {hit.functions.map((one) => (
        <li key={one.id}>
          {t('why.function')}{' '}
          <Link to={`/connections/${one.connectionId}/functions/${one.id}`}>{one.name}</Link>
        </li>
      ))}
    </ul>
  );
}

interface WhyDownProps {
  connection: Connection;
  explanation: Explanation;
  testing: boolean;
  onTest: () => void;
  onTrust: () => void;
}

/** All that is known of an outage under way, and what can be done about it. */
export function WhyDown({ connection, explanation, testing, onTest, onTrust }: WhyDownProps) {
  const { t } = useTranslation();
  const { state } = connection;
  const { cause, breaker, nextAttemptAt } = state;
  return (
    <Panel
      title={t('why.title')}
      aside={
        <Group gap="xs">
          {cause?.class === 'Trust' && (
            <Button size="compact-sm" onClick={onTrust}>
              {t('trust.open')}
            </Button>
          )}
          <Button size="compact-sm" variant="default" loading={testing} onClick={onTest}>
            {t('why.test')}
          </Button>
        </Group>
      }
    >
      <div className={classes.column}>
        <p className={classes.summary}>{explanation.summary}</p>
        {cause && (
          <Cause
            cause={cause}
            tone={state.status === 'Failed' ? 'bad' : 'alert'}
            action={
              cause.pointer && (
                <Button
                  component={Link}
                  size="compact-sm"
                  variant="default"
                  to={`/connections/${connection.id}/settings#${cause.pointer}`}
                  rightSection={<IconArrowRight size={14} />}
                >
                  {t('diagnosis.goTo')}
                </Button>
              )
            }
          />
        )}
        <Facts>
          {explanation.downSince && (
            <Fact name={t('why.downFor')}>
              <Lasting since={explanation.downSince} />
            </Fact>
          )}
          {nextAttemptAt && (
            <Fact name={t('connection.nextAttempt')}>
              <Countdown at={nextAttemptAt} />
            </Fact>
          )}
          <Fact name={t('why.seen')}>{t('why.times', { count: explanation.occurrences })}</Fact>
          {explanation.firstAt && (
            <Fact name={t('why.first')}>
              <Ago at={explanation.firstAt} />
            </Fact>
          )}
          {explanation.lastAt && (
            <Fact name={t('why.last')}>
              <Ago at={explanation.lastAt} />
            </Fact>
          )}
          <Fact name={t('why.failures')}>{explanation.failures}</Fact>
          <Fact name={t('connection.breaker')} title={t('connection.breakerHelp')}>
            {t(`connection.breakerState.${breaker.state}`)}
          </Fact>
        </Facts>
        {explanation.alarms.map((alarm) => (
          <Message key={alarm.id} tone="warn">
            {alarm.message}
          </Message>
        ))}
        {explanation.causes.length > 1 && (
          <Part title={t('why.causes')}>
            <Causes causes={explanation.causes} />
          </Part>
        )}
        <Part title={t('why.changed')}>
          <Changes changes={explanation.changedBefore} />
        </Part>
        <Part title={t('why.hit')}>
          <Hit hit={explanation.hit} />
        </Part>
      </div>
    </Panel>
  );
}
