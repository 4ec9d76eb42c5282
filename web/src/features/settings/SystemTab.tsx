import { Anchor } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, ask, type Schemas } from '@/shared/api';
import { formatCount, formatMoment, formatSpan } from '@/shared/format';
import { Ago, ErrorMessage, Fact, Facts, Loading, Message, Panel, ui } from '@/shared/ui';
import { formatBytes } from './bytes';
import { DiagnosticsPanel } from './DiagnosticsPanel';
import { LogPanel } from './LogPanel';

type System = Schemas['System'];

function AboutPanel({ system }: { system: System }) {
  const { t } = useTranslation();
  return (
    <Panel
      title={t('settings.system.title')}
      aside={
        <Anchor size="sm" href="/api/v1/openapi.yaml">
          {t('settings.system.apiDocument')}
        </Anchor>
      }
    >
      {system.uncleanStart && <Message tone="warn">{t('settings.system.unclean')}</Message>}
      <Facts>
        <Fact name={t('settings.system.version')}>
          <span className={ui.mono}>{system.version}</span>
        </Fact>
        <Fact name={t('settings.system.api')}>
          <span className={ui.mono}>{system.apiVersion}</span>
        </Fact>
        <Fact name={t('settings.system.build')}>
          {system.build.type}, {system.build.compiler}
        </Fact>
        <Fact name={t('settings.system.started')}>{formatMoment(system.startedAt)}</Fact>
        <Fact name={t('settings.system.uptime')}>{formatSpan(system.uptimeSeconds * 1000, t)}</Fact>
        <Fact name={t('settings.system.connections')}>{formatCount(system.connections)}</Fact>
        <Fact name={t('settings.system.pipelines')}>{formatCount(system.pipelines)}</Fact>
        <Fact name={t('settings.system.connectors')}>{system.connectors.join(', ')}</Fact>
      </Facts>
    </Panel>
  );
}

function MachinePanel({ system }: { system: System }) {
  const { t } = useTranslation();
  const { machine, process } = system;
  return (
    <Panel title={t('settings.system.machine')}>
      <Facts>
        <Fact name={t('settings.system.operatingSystem')}>
          {machine.operatingSystem}, {machine.kernel}, {machine.architecture}
        </Fact>
        <Fact name={t('settings.system.processors')}>{machine.processors}</Fact>
        <Fact name={t('settings.system.memory')}>{formatBytes(process.residentBytes)}</Fact>
        <Fact name={t('settings.system.cpu')}>{formatSpan(process.cpuSeconds * 1000, t)}</Fact>
        <Fact name={t('settings.system.threads')}>{process.threads}</Fact>
        <Fact name={t('settings.system.descriptors')}>{process.openDescriptors}</Fact>
        <Fact name={t('settings.system.loops')} title={t('settings.system.lagHelp')}>
          {system.eventLoops
            .map(
              ({ name, lagMs }) =>
                `${name}: ${
                  lagMs === null
                    ? t('settings.system.noAnswer')
                    : t('time.ms', { n: Number(lagMs.toFixed(lagMs < 10 ? 2 : 0)) })
                }`,
            )
            .join(' · ')}
        </Fact>
      </Facts>
    </Panel>
  );
}

function StoragePanel({ system: { storage, spool } }: { system: System }) {
  const { t } = useTranslation();
  const { freeBytes, totalBytes } = storage;
  const known = freeBytes !== null && totalBytes !== null;
  return (
    <Panel title={t('settings.system.storage')}>
      {known && freeBytes < totalBytes / 10 && (
        <Message tone="warn">{t('settings.system.lowDisk')}</Message>
      )}
      <Facts>
        <Fact name={t('settings.system.dataDirectory')}>
          <span className={ui.mono}>{storage.dataDirectory}</span>
        </Fact>
        <Fact name={t('settings.system.store')}>{formatBytes(storage.storeBytes)}</Fact>
        <Fact name={t('settings.system.spool')}>{formatBytes(storage.spoolBytes)}</Fact>
        <Fact name={t('settings.system.other')}>{formatBytes(storage.otherBytes)}</Fact>
        {known && (
          <Fact name={t('settings.system.free')}>
            {t('settings.system.freeOf', {
              free: formatBytes(freeBytes),
              total: formatBytes(totalBytes),
            })}
          </Fact>
        )}
        <Fact name={t('settings.system.waiting')}>
          {t('settings.system.waitingRecords', {
            count: spool.records,
            size: formatBytes(spool.bytes),
          })}
        </Fact>
        {spool.oldestAt && (
          <Fact name={t('settings.system.oldest')}>
            <Ago at={spool.oldestAt} />
          </Fact>
        )}
        <Fact name={t('settings.system.deadLetters')}>{formatCount(spool.deadLetters)}</Fact>
        {spool.lost > 0 && <Fact name={t('settings.system.lost')}>{formatCount(spool.lost)}</Fact>}
      </Facts>
    </Panel>
  );
}

/** How the hub itself is, what it logs, and what to send to those who help. */
export default function SystemTab() {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery({
    queryKey: ['system'],
    queryFn: () => ask(api.GET('/system')),
    refetchInterval: 10_000,
  });
  if (error && !data) return <ErrorMessage error={error} onRetry={() => void refetch()} />;
  if (!data) return <Loading />;
  return (
    <>
      {error && <Message tone="warn">{t('live.explain.stale')}</Message>}
      <AboutPanel system={data} />
      <MachinePanel system={data} />
      <StoragePanel system={data} />
      <LogPanel />
      <DiagnosticsPanel />
    </>
  );
}
