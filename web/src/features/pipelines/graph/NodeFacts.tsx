import { useTranslation } from 'react-i18next';
import type { Schemas } from '@/shared/api';
import { formatCount, formatSpan } from '@/shared/format';
import { Ago, Fact, Facts, Message, Panel } from '@/shared/ui';
import { Json } from '../Json';
import classes from '../pipelines.module.css';
import { type GraphNode, nameOf } from './model';
import type { NodeDetail } from './rates';

type Counters = Schemas['NodeCounters'];

function Queue({ delivery }: { delivery: Schemas['DeliveryState'] }) {
  const { t } = useTranslation();
  return (
    <section aria-label={t('graph.delivery')}>
      <h3 className={classes.diffTitle}>{t('graph.delivery')}</h3>
      <Facts>
        <Fact name={t('graph.waits')}>{formatCount(delivery.waiting)}</Fact>
        <Fact name={t('graph.delivered')}>{formatCount(delivery.delivered)}</Fact>
        <Fact name={t('graph.deadLettered')}>{formatCount(delivery.deadLetters)}</Fact>
        {delivery.oldestAt && (
          <Fact name={t('graph.oldest')}>
            <Ago at={delivery.oldestAt} />
          </Fact>
        )}
      </Facts>
      {delivery.lastError && (
        <Message tone="warn">
          {t('graph.waitsBecause', { message: delivery.lastError.message })}
        </Message>
      )}
    </section>
  );
}

interface NodeFactsProps {
  node: GraphNode;
  /** Since the hub started; absent in a run. */
  counters?: Counters | undefined;
  /** Of one run. */
  detail?: NodeDetail | undefined;
}

/** What a node did: of the pipeline since the start, or in one run. */
export function NodeFacts({ node, counters, detail }: NodeFactsProps) {
  const { t } = useTranslation();
  const counts = detail ?? counters;
  const error = detail ? detail.error : counters?.lastError;
  const failed = detail ? detail.failedInput : counters?.lastFailedInput;
  return (
    <Panel title={t('graph.detail', { name: nameOf(node) })}>
      <div className={classes.facts}>
        {counts && (
          <Facts>
            <Fact name={t('pipelines.in')}>{formatCount(counts.recordsIn)}</Fact>
            <Fact name={t('pipelines.out')}>{formatCount(counts.recordsOut)}</Fact>
            <Fact name={t('pipelines.errors')}>{formatCount(counts.errors)}</Fact>
            <Fact name={t('graph.filtered')}>{formatCount(counts.filtered ?? 0)}</Fact>
            <Fact name={t('pipelines.dropped')}>{formatCount(counts.dropped ?? 0)}</Fact>
            <Fact name={t('graph.held')}>{formatCount(counts.held ?? 0)}</Fact>
            {detail?.durationMs !== undefined && (
              <Fact name={t('graph.time')}>{formatSpan(detail.durationMs, t)}</Fact>
            )}
          </Facts>
        )}
        {counters?.delivery && <Queue delivery={counters.delivery} />}
        {error && (
          <Message tone="bad">
            <p>
              {t('graph.lastError')}: {error.message}
            </p>
            {counters?.lastErrorAt && <Ago at={counters.lastErrorAt} />}
          </Message>
        )}
        {failed !== undefined && failed !== null && (
          <>
            <h3 className={classes.diffTitle}>{t('graph.lastFailedInput')}</h3>
            <Json value={failed} label={t('graph.lastFailedInput')} />
          </>
        )}
        {detail?.input !== undefined && (
          <>
            <h3 className={classes.diffTitle}>{t('graph.firstInput')}</h3>
            <Json value={detail.input} label={t('graph.firstInput')} />
            <h3 className={classes.diffTitle}>{t('graph.firstOutput')}</h3>
            <Json value={detail.output} label={t('graph.firstOutput')} />
          </>
        )}
        {detail && detail.input === undefined && <p>{t('graph.noSamples')}</p>}
        {detail?.log && (
          <>
            <h3 className={classes.diffTitle}>{t('graph.log')}</h3>
            <Json value={detail.log.join('\n')} label={t('graph.log')} />
          </>
        )}
      </div>
    </Panel>
  );
}
