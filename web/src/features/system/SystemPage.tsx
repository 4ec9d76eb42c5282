import { Anchor } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, ask } from '@/shared/api';
import type { Me } from '@/shared/data/session';
import { formatMoment, formatSpan } from '@/shared/format';
import { ErrorMessage, Fact, Facts, Loading, Message, Page, Panel, ui } from '@/shared/ui';
import { TokensPanel } from './TokensPanel';

function About() {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery({
    queryKey: ['system'],
    queryFn: () => ask(api.GET('/system')),
    refetchInterval: 30_000,
  });
  if (error) return <ErrorMessage error={error} onRetry={() => void refetch()} />;
  if (!data) return <Loading />;
  return (
    <Panel
      title={t('system.about.title')}
      aside={
        <Anchor size="sm" href="/api/v1/openapi.yaml">
          {t('system.about.apiDocument')}
        </Anchor>
      }
    >
      {data.uncleanStart && <Message tone="warn">{t('system.about.unclean')}</Message>}
      <Facts>
        <Fact name={t('system.about.version')}>
          <span className={ui.mono}>{data.version}</span>
        </Fact>
        <Fact name={t('system.about.api')}>
          <span className={ui.mono}>{data.apiVersion}</span>
        </Fact>
        <Fact name={t('system.about.started')}>{formatMoment(data.startedAt)}</Fact>
        <Fact name={t('system.about.uptime')}>{formatSpan(data.uptimeSeconds * 1000, t)}</Fact>
        <Fact name={t('system.about.connections')}>{data.connections}</Fact>
        <Fact name={t('system.about.pipelines')}>{data.pipelines}</Fact>
        <Fact name={t('system.about.connectors')}>{data.connectors.join(', ')}</Fact>
      </Facts>
    </Panel>
  );
}

export default function SystemPage({ me }: { me: Me }) {
  const { t } = useTranslation();
  return (
    <Page title={t('system.title')} narrow>
      <About />
      {me.role === 'admin' && <TokensPanel />}
    </Page>
  );
}
