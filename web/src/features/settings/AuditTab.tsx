import { ActionIcon, Button, NativeSelect } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import {
  IconBan,
  IconChevronDown,
  IconChevronRight,
  IconCircleCheck,
  IconHistory,
} from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { api, ask, type Schemas } from '@/shared/api';
import { hubNow } from '@/shared/data/clock';
import { useConnections } from '@/shared/data/connections';
import { formatMoment } from '@/shared/format';
import {
  EmptyState,
  ErrorMessage,
  Loading,
  Panel,
  SearchField,
  TableScroll,
  ToneBadge,
  ui,
  useAddress,
} from '@/shared/ui';
import { More, usePages } from './paged';
import classes from './settings.module.css';

type Entry = Schemas['AuditEntry'];

const kHour = 3_600_000;
const periods = { all: 0, hour: kHour, day: 24 * kHour, week: 7 * 24 * kHour };
type Period = keyof typeof periods;
const groups = [
  'all',
  'auth',
  'connection',
  'function',
  'pipeline',
  'certificate',
  'token',
  'notice',
  'maintenance',
  'system',
] as const;
type Group = (typeof groups)[number];

const isPeriod = (text: string): text is Period => text in periods;
const isGroup = (text: string): text is Group => (groups as readonly string[]).includes(text);

function detailOf(entry: Entry): Record<string, unknown> {
  return typeof entry.detail === 'object' && entry.detail !== null
    ? (entry.detail as Record<string, unknown>)
    : {};
}

/** Sign-ins have no result of their own: it is part of what was done. */
export function wasRefused(entry: Entry): boolean {
  return detailOf(entry).result === 'refused' || /_(refused|limited)$/.test(entry.action);
}

/** The name it had then, if the row tells. */
export function nameIn(entry: Entry): string | null {
  const detail = detailOf(entry);
  for (const place of [detail, detail.body, detail.patch]) {
    if (typeof place === 'object' && place !== null && 'name' in place) {
      if (typeof place.name === 'string' && place.name !== '') return place.name;
    }
  }
  // Certificates have no name, but a subject.
  return typeof detail.subject === 'string' ? detail.subject : null;
}

function Target({ entry }: { entry: Entry }) {
  const { data = [] } = useConnections();
  const connection = data.find((one) => one.id === entry.target);
  if (connection) return <Link to={`/connections/${connection.id}`}>{connection.name}</Link>;
  const name = nameIn(entry) ?? entry.target;
  const lives =
    entry.action.startsWith('pipeline.') &&
    !wasRefused(entry) &&
    entry.action !== 'pipeline.delete';
  return lives && entry.target ? <Link to={`/pipelines/${entry.target}`}>{name}</Link> : name;
}

function Row({ entry }: { entry: Entry }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const Chevron = open ? IconChevronDown : IconChevronRight;
  return (
    <>
      <tr>
        <td className={ui.nowrap}>{formatMoment(entry.at)}</td>
        <td>{entry.actor || '–'}</td>
        <td className={ui.mono}>{entry.action}</td>
        <td className={classes.subject}>
          <Target entry={entry} />
        </td>
        <td>
          {wasRefused(entry) ? (
            <ToneBadge plain tone="warn" icon={IconBan}>
              {t('settings.audit.refused')}
            </ToneBadge>
          ) : (
            <ToneBadge plain tone="good" icon={IconCircleCheck}>
              {t('settings.audit.done')}
            </ToneBadge>
          )}
        </td>
        <td data-number>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-expanded={open}
            aria-label={t('settings.audit.details', { action: entry.action })}
            onClick={() => setOpen(!open)}
          >
            <Chevron size={16} />
          </ActionIcon>
        </td>
      </tr>
      {open && (
        <tr className={classes.detail}>
          <td colSpan={6}>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
            <pre className={ui.code} tabIndex={0}>
              {JSON.stringify({ target: entry.target, ...detailOf(entry) }, null, 2)}
            </pre>
          </td>
        </tr>
      )}
    </>
  );
}

/** Who did what and when, newest first; searched by the hub. The filter stands in the address. */
export default function AuditTab() {
  const { t } = useTranslation();
  const { params, change, clear } = useAddress();
  const set = (name: string, value: string) =>
    change((next) => (value && value !== 'all' ? next.set(name, value) : next.delete(name)));
  const search = params.get('q') ?? '';
  const [q] = useDebouncedValue(search.trim(), 250);
  const wantedPeriod = params.get('period') ?? '';
  const period = isPeriod(wantedPeriod) ? wantedPeriod : 'all';
  const wantedGroup = params.get('about') ?? '';
  const group = isGroup(wantedGroup) ? wantedGroup : 'all';
  const query = usePages(['audit', q, period, group], (cursor) =>
    ask(
      api.GET('/audit', {
        params: {
          query: {
            limit: 50,
            cursor,
            ...(q && { q }),
            ...(group !== 'all' && { action: group }),
            ...(period !== 'all' && {
              from: new Date(hubNow() - periods[period]).toISOString(),
            }),
          },
        },
      }),
    ),
  );
  const { items, error, refetch } = query;
  const filtered = q !== '' || period !== 'all' || group !== 'all';
  return (
    <>
      <div className={ui.toolbar}>
        <SearchField
          label={t('settings.audit.search')}
          type="search"
          value={search}
          onChange={(next) => set('q', next)}
        />
        <NativeSelect
          aria-label={t('settings.audit.group')}
          value={group}
          onChange={(event) => set('about', event.currentTarget.value)}
          data={groups.map((value) => ({ value, label: t(`settings.audit.groups.${value}`) }))}
        />
        <NativeSelect
          aria-label={t('settings.audit.period')}
          value={period}
          onChange={(event) => set('period', event.currentTarget.value)}
          data={Object.keys(periods)
            .filter(isPeriod)
            .map((value) => ({ value, label: t(`settings.audit.periods.${value}`) }))}
        />
      </div>
      <Panel flush>
        {error && <ErrorMessage error={error} onRetry={() => void refetch()} />}
        {!items && !error && <Loading />}
        {items?.length === 0 && (
          <EmptyState
            icon={<IconHistory size={36} stroke={1.2} aria-hidden />}
            title={filtered ? t('settings.audit.noneFound') : t('settings.audit.empty')}
            text={filtered ? undefined : t('settings.audit.emptyText')}
            action={
              filtered && (
                <Button variant="default" onClick={clear}>
                  {t('settings.audit.showAll')}
                </Button>
              )
            }
          />
        )}
        {items && items.length > 0 && (
          <TableScroll>
            <table className={`${ui.table} ${ui.rows}`}>
              <thead>
                <tr>
                  <th scope="col">{t('settings.audit.at')}</th>
                  <th scope="col">{t('settings.audit.who')}</th>
                  <th scope="col">{t('settings.audit.what')}</th>
                  <th scope="col">{t('settings.audit.target')}</th>
                  <th scope="col">{t('settings.audit.result')}</th>
                  <th scope="col">
                    <span className={ui.hidden}>{t('common.details')}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {items.map((entry) => (
                  <Row key={entry.seq} entry={entry} />
                ))}
              </tbody>
            </table>
          </TableScroll>
        )}
        <More query={query} />
      </Panel>
    </>
  );
}
