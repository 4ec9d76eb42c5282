import { ActionIcon, Button, Menu, Switch } from '@mantine/core';
import { IconDots, IconPencil, IconPlayerPlay, IconTrash } from '@tabler/icons-react';
import { Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, NavLink, Outlet, useOutletContext, useParams } from 'react-router';
import { CopyAs, pipelineDocument } from '@/shared/copy';
import { formatCount, formatMoment } from '@/shared/format';
import { ErrorMessage, Loading, Message, Page, Tabs, ui } from '@/shared/ui';
import { DeleteDialog } from './DeleteDialog';
import {
  lettersOf,
  type Pipeline,
  useLivePipelines,
  usePipeline,
  useRunNow,
  useToggle,
} from './data';
import classes from './pipelines.module.css';
import { RunDialog } from './runs/RunDialog';
import { PipelineBadge } from './status';

const tabs = ['graph', 'runs', 'deadletters', 'versions', 'usedby'] as const;

/** The pipeline whose page the tab is part of. */
export const useThisPipeline = (): Pipeline => useOutletContext<Pipeline>();

function Actions({ pipeline }: { pipeline: Pipeline }) {
  const { t } = useTranslation();
  const [deleting, setDeleting] = useState(false);
  const [asking, setAsking] = useState(false);
  const toggle = useToggle(pipeline.id);
  const run = useRunNow(pipeline);
  const manual = pipeline.nodes.some((node) => node.type === 'trigger.manual');
  return (
    <div className={classes.controls}>
      <Switch
        label={t('pipelines.enabled')}
        checked={toggle.isPending ? toggle.variables : pipeline.enabled}
        disabled={toggle.isPending}
        onChange={(event) => toggle.mutate(event.currentTarget.checked)}
      />
      {manual && (
        <Button
          variant="light"
          disabled={!pipeline.enabled}
          loading={run.isPending}
          leftSection={<IconPlayerPlay size={16} />}
          onClick={() => run.mutate({})}
        >
          {t('pipelines.run')}
        </Button>
      )}
      <Button
        component={Link}
        to={`/pipelines/${pipeline.id}/edit`}
        leftSection={<IconPencil size={16} />}
      >
        {pipeline.draft ? t('pipeline.editDraft') : t('pipeline.edit')}
      </Button>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon
            variant="default"
            size="lg"
            aria-label={t('pipelines.more', { name: pipeline.name })}
          >
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {manual && (
            <Menu.Item
              leftSection={<IconPlayerPlay size={16} />}
              disabled={!pipeline.enabled}
              onClick={() => setAsking(true)}
            >
              {t('runInput.open')}
            </Menu.Item>
          )}
          <Menu.Item
            color="var(--tone-bad)"
            leftSection={<IconTrash size={16} />}
            onClick={() => setDeleting(true)}
          >
            {t('common.delete')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {asking && <RunDialog pipeline={pipeline} onClose={() => setAsking(false)} />}
      {deleting && <DeleteDialog pipeline={pipeline} onClose={() => setDeleting(false)} />}
    </div>
  );
}

function Notes({ pipeline }: { pipeline: Pipeline }) {
  const { t } = useTranslation();
  const { draft, state } = pipeline;
  return (
    <>
      {state.error && (
        <Message tone="bad">{t('pipeline.cannotRun', { message: state.error.message })}</Message>
      )}
      {state.status === 'waiting' && state.waitingReason && (
        <Message tone="warn">
          {t('pipeline.waitingReason', { reason: state.waitingReason })}
        </Message>
      )}
      {draft && (
        <Message tone="info">
          {t('pipeline.draftBy', {
            actor: draft.actor ?? t('pipeline.somebody'),
            at: formatMoment(draft.updatedAt),
          })}
        </Message>
      )}
    </>
  );
}

/** One pipeline: how it is, what one can do, and its tabs. */
export default function PipelinePage() {
  const { t } = useTranslation();
  const { id = '' } = useParams();
  const { data: pipeline, error, refetch } = usePipeline(id);
  useLivePipelines();
  if (error) return <ErrorMessage error={error} onRetry={() => void refetch()} />;
  if (!pipeline) return <Loading />;
  const letters = lettersOf(pipeline.state);
  return (
    <Page
      title={pipeline.name}
      aside={
        <span className={classes.labels}>
          <PipelineBadge status={pipeline.state.status} />
          {Object.entries(pipeline.labels).map(([key, value]) => (
            <span key={key} className={ui.label}>
              {key}: {value}
            </span>
          ))}
        </span>
      }
      actions={
        <>
          <CopyAs
            request={{ method: 'GET', path: `/pipelines/${id}` }}
            document={() => pipelineDocument(id)}
          />
          <Actions pipeline={pipeline} />
        </>
      }
    >
      {pipeline.description && <p className={classes.description}>{pipeline.description}</p>}
      <Notes pipeline={pipeline} />
      <Tabs label={pipeline.name}>
        {tabs.map((tab) => (
          <NavLink key={tab} to={tab} className={ui.tab ?? ''}>
            {t(`pipeline.tabs.${tab}`)}
            {tab === 'deadletters' && letters > 0 && ` ${formatCount(letters)}`}
          </NavLink>
        ))}
      </Tabs>
      <Suspense fallback={<Loading />}>
        <Outlet context={pipeline} />
      </Suspense>
    </Page>
  );
}
