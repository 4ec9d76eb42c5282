import { Button, Checkbox } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleDashed,
  IconLock,
} from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { api, ask, type Schemas } from '@/shared/api';
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
} from '@/shared/ui';
import { More, usePages } from './paged';
import classes from './settings.module.css';

type Item = Schemas['SecretItem'];

function State({ secret }: { secret: Item }) {
  const { t } = useTranslation();
  if (!secret.set) {
    return (
      <ToneBadge plain tone="neutral" icon={IconCircleDashed}>
        {t('settings.secrets.unset')}
      </ToneBadge>
    );
  }
  if (secret.problem) {
    return (
      <>
        <ToneBadge plain tone="bad" icon={IconAlertTriangle}>
          {t('settings.secrets.unavailable')}
        </ToneBadge>
        <div className={classes.note}>{secret.problem}</div>
      </>
    );
  }
  return (
    <ToneBadge plain tone="good" icon={IconCircleCheck}>
      {t('settings.secrets.set')}
    </ToneBadge>
  );
}

function User({ usedBy }: { usedBy: Item['usedBy'] }) {
  const { t } = useTranslation();
  const to = {
    connection: `/connections/${usedBy.id}/edit`,
    pipeline: `/pipelines/${usedBy.id}/edit`,
    notice: null,
  }[usedBy.kind];
  return (
    <>
      <div>{to ? <Link to={to}>{usedBy.name}</Link> : usedBy.name}</div>
      <div className={classes.sub}>{t(`settings.secrets.kind.${usedBy.kind}`)}</div>
    </>
  );
}

function SecretsTable({ secrets }: { secrets: Item[] }) {
  const { t } = useTranslation();
  return (
    <TableScroll>
      <table className={`${ui.table} ${ui.rows}`}>
        <thead>
          <tr>
            <th scope="col">{t('settings.secrets.usedBy')}</th>
            <th scope="col">{t('settings.secrets.name')}</th>
            <th scope="col">{t('settings.secrets.state')}</th>
            <th scope="col">{t('settings.secrets.changed')}</th>
            <th scope="col">{t('settings.secrets.source')}</th>
          </tr>
        </thead>
        <tbody>
          {secrets.map((secret) => (
            <tr key={`${secret.usedBy.id} ${secret.name}`}>
              <td>
                <User usedBy={secret.usedBy} />
              </td>
              <td className={ui.mono}>{secret.name}</td>
              <td>
                <State secret={secret} />
              </td>
              <td>{secret.changedAt && formatMoment(secret.changedAt)}</td>
              <td>{secret.source && t(`settings.secrets.sources.${secret.source}`)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

/** Which secrets there are, whether they are set and who uses them. Their text never comes here. */
export default function SecretsTab() {
  const { t } = useTranslation();
  const [search, setSearch] = useState('');
  const [onlyUnset, setOnlyUnset] = useState(false);
  const [name] = useDebouncedValue(search.trim(), 200);
  const query = usePages(['secrets', name, onlyUnset], (cursor) =>
    ask(
      api.GET('/secrets', {
        params: {
          query: { limit: 100, cursor, ...(name && { name }), ...(onlyUnset && { set: false }) },
        },
      }),
    ),
  );
  const { items, error, refetch } = query;
  const filtered = name !== '' || onlyUnset;
  return (
    <>
      <p className={classes.intro}>{t('settings.secrets.intro')}</p>
      <div className={ui.toolbar}>
        <SearchField
          label={t('settings.secrets.search')}
          type="search"
          value={search}
          onChange={setSearch}
        />
        <Checkbox
          label={t('settings.secrets.onlyUnset')}
          checked={onlyUnset}
          onChange={(event) => setOnlyUnset(event.currentTarget.checked)}
        />
      </div>
      <Panel flush>
        {error && <ErrorMessage error={error} onRetry={() => void refetch()} />}
        {!items && !error && <Loading />}
        {items?.length === 0 && (
          <EmptyState
            icon={<IconLock size={36} stroke={1.2} aria-hidden />}
            title={filtered ? t('settings.secrets.noneFound') : t('settings.secrets.empty')}
            text={filtered ? undefined : t('settings.secrets.emptyText')}
            action={
              <Button component={Link} to="/connections" variant="default">
                {t('settings.secrets.toConnections')}
              </Button>
            }
          />
        )}
        {items && items.length > 0 && <SecretsTable secrets={items} />}
        <More query={query} />
      </Panel>
    </>
  );
}
