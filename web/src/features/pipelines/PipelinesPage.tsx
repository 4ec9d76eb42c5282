import { ActionIcon, Button, Menu, Switch } from '@mantine/core';
import {
  IconDots,
  IconPencil,
  IconPlayerPlay,
  IconPlus,
  IconRoute,
  IconTrash,
} from '@tabler/icons-react';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { formatCount } from '@/shared/format';
import {
  Ago,
  EmptyState,
  ErrorMessage,
  Loading,
  Page,
  Panel,
  SearchField,
  TableScroll,
  ui,
  useListFilter,
  useNow,
} from '@/shared/ui';
import { DeleteDialog } from './DeleteDialog';
import {
  lettersOf,
  type Pipeline,
  type PipelineStatus,
  rateText,
  useLivePipelines,
  usePipelines,
  useRunNow,
  useToggle,
  waitingOf,
} from './data';
import { RateMeter } from './graph/rates';
import classes from './pipelines.module.css';
import { PipelineBadge, statusOrder } from './status';

function searchableText(pipeline: Pipeline): string {
  return [
    pipeline.name,
    pipeline.description,
    ...Object.entries(pipeline.labels).map(([key, value]) => `${key}:${value}`),
    ...pipeline.nodes.map((node) => `${node.id} ${node.type}`),
  ].join(' ');
}

function Counter({ count, rate }: { count: number; rate: number | null }) {
  const { t } = useTranslation();
  const perSecond = rateText(rate);
  return (
    <td data-number className={ui.nowrap}>
      {formatCount(count)}
      <div className={classes.sub}>
        {perSecond === null ? '\u2013' : t('pipelines.perSecond', { rate: perSecond })}
      </div>
    </td>
  );
}

function RowMenu({ pipeline }: { pipeline: Pipeline }) {
  const { t } = useTranslation();
  const [deleting, setDeleting] = useState(false);
  const run = useRunNow(pipeline);
  const manual = pipeline.nodes.some((node) => node.type === 'trigger.manual');
  return (
    <>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={t('pipelines.more', { name: pipeline.name })}
          >
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            component={Link}
            to={`/pipelines/${pipeline.id}/edit`}
            leftSection={<IconPencil size={16} />}
          >
            {t('pipeline.edit')}
          </Menu.Item>
          {manual && (
            <Menu.Item
              disabled={!pipeline.enabled}
              leftSection={<IconPlayerPlay size={16} />}
              onClick={() => run.mutate({})}
            >
              {t('pipelines.run')}
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
      {deleting && <DeleteDialog pipeline={pipeline} onClose={() => setDeleting(false)} />}
    </>
  );
}

function Row({ pipeline, meter }: { pipeline: Pipeline; meter: RateMeter }) {
  const { t } = useTranslation();
  const { id, state } = pipeline;
  const toggle = useToggle(id);
  const now = useNow(2000);
  const failing = state.nodes.find((node) => node.lastError !== null);
  const waiting = waitingOf(state);
  const letters = lettersOf(state);
  return (
    <tr>
      <td>
        <PipelineBadge status={state.status} />
      </td>
      <td className={classes.nameCell}>
        <Link to={`/pipelines/${id}`} className={classes.nameLink}>
          {pipeline.name}
        </Link>
        {pipeline.draft && (
          <span className={ui.label} title={t('pipelines.draftHelp')}>
            {t('pipelines.draft')}
          </span>
        )}
        {pipeline.description && <div className={classes.sub}>{pipeline.description}</div>}
        {failing?.lastError && state.status === 'failing' && (
          <div className={classes.failure}>
            {t('pipelines.lastError', { node: failing.nodeId, message: failing.lastError.message })}
          </div>
        )}
      </td>
      <td>
        <span className={classes.labels}>
          {Object.entries(pipeline.labels).map(([key, value]) => (
            <span key={key} className={ui.label}>
              {key}: {value}
            </span>
          ))}
        </span>
      </td>
      <Counter count={state.recordsIn} rate={meter.rate(`${id}/in`, now)} />
      <Counter count={state.recordsOut} rate={meter.rate(`${id}/out`, now)} />
      <td data-number data-some={state.errors > 0} className={classes.errors}>
        {formatCount(state.errors)}
      </td>
      <td data-number title={t('pipelines.backlogHelp')}>
        {formatCount(waiting)}
      </td>
      <td data-number data-some={letters > 0} className={classes.errors}>
        {letters > 0 ? (
          <Link to={`/pipelines/${id}/deadletters`}>{formatCount(letters)}</Link>
        ) : (
          formatCount(0)
        )}
      </td>
      <td className={ui.nowrap}>
        {state.lastRunAt ? <Ago at={state.lastRunAt} /> : t('common.never')}
      </td>
      <td>
        <div className={classes.rowControls}>
          <Switch
            aria-label={t('pipelines.enable', { name: pipeline.name })}
            checked={toggle.isPending ? toggle.variables : pipeline.enabled}
            disabled={toggle.isPending}
            onChange={(event) => toggle.mutate(event.currentTarget.checked)}
          />
          <RowMenu pipeline={pipeline} />
        </div>
      </td>
    </tr>
  );
}

function Filters({
  pipelines,
  chosen,
  onChoose,
}: {
  pipelines: Pipeline[];
  chosen: string | null;
  onChoose: (status: PipelineStatus | null) => void;
}) {
  const { t } = useTranslation();
  const count = (status: PipelineStatus) =>
    pipelines.filter((one) => one.state.status === status).length;
  return (
    <fieldset className={ui.filters} aria-label={t('common.status')}>
      <button
        type="button"
        className={ui.filter}
        aria-pressed={chosen === null}
        onClick={() => onChoose(null)}
      >
        {t('pipelines.all')} <b>{pipelines.length}</b>
      </button>
      {statusOrder
        .filter((status) => count(status) > 0)
        .map((status) => (
          <button
            key={status}
            type="button"
            className={ui.filter}
            aria-pressed={chosen === status}
            onClick={() => onChoose(chosen === status ? null : status)}
          >
            <PipelineBadge plain status={status} /> <b>{count(status)}</b>
          </button>
        ))}
    </fieldset>
  );
}

const columns = ['in', 'out', 'errors', 'backlog', 'deadLetters'] as const;

function Table({ pipelines, meter }: { pipelines: Pipeline[]; meter: RateMeter }) {
  const { t } = useTranslation();
  return (
    <TableScroll>
      <table className={`${ui.table} ${ui.rows}`}>
        <thead>
          <tr>
            <th scope="col">{t('common.status')}</th>
            <th scope="col">{t('common.name')}</th>
            <th scope="col">{t('pipelines.labels')}</th>
            {columns.map((column) => (
              <th key={column} scope="col" data-number>
                {t(`pipelines.${column}`)}
              </th>
            ))}
            <th scope="col">{t('pipelines.lastRun')}</th>
            <th scope="col">{t('pipelines.enabled')}</th>
          </tr>
        </thead>
        <tbody>
          {pipelines.map((pipeline) => (
            <Row key={pipeline.id} pipeline={pipeline} meter={meter} />
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

/** The pipelines with what they do now. */
export default function PipelinesPage() {
  const { t } = useTranslation();
  const { data, error, refetch } = usePipelines();
  const meter = useRef(new RateMeter());
  useLivePipelines(({ id, state }) => {
    if (!state) return;
    meter.current.observe(`${id}/in`, state.recordsIn, Date.now());
    meter.current.observe(`${id}/out`, state.recordsOut, Date.now());
  });
  const { search, status, set, showAll, shown } = useListFilter(data, searchableText);
  const add = (
    <Button component={Link} to="/pipelines/new" leftSection={<IconPlus size={16} />}>
      {t('pipelines.add')}
    </Button>
  );
  return (
    <Page
      title={t('pipelines.title')}
      aside={<span className={classes.sub}>{t('pipelines.sinceStart')}</span>}
      actions={data && data.length > 0 ? add : undefined}
    >
      {error && <ErrorMessage error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Loading />}
      {data?.length === 0 && (
        <Panel>
          <EmptyState
            icon={<IconRoute size={40} stroke={1.2} aria-hidden />}
            title={t('pipelines.empty')}
            text={t('pipelines.emptyText')}
            action={add}
          />
        </Panel>
      )}
      {data && data.length > 0 && (
        <>
          <div className={ui.toolbar}>
            <SearchField
              label={t('pipelines.search')}
              value={search}
              onChange={(next) => set('q', next)}
            />
            <Filters pipelines={data} chosen={status} onChoose={(next) => set('status', next)} />
          </div>
          <Panel flush>
            {shown.length > 0 ? (
              <Table pipelines={shown} meter={meter.current} />
            ) : (
              <EmptyState
                title={t('pipelines.noneFound')}
                action={
                  <Button variant="default" onClick={showAll}>
                    {t('pipelines.showAll')}
                  </Button>
                }
              />
            )}
          </Panel>
        </>
      )}
    </Page>
  );
}
