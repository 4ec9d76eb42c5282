import { Button } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { type Connector, useConnectors } from '@/shared/data/connections';
import { EmptyState, ErrorMessage, Loading, Page, Panel, SearchField, ui } from '@/shared/ui';
import connection from '../connections.module.css';
import classes from './list.module.css';

function matches(connector: Connector, words: string[]): boolean {
  const text = [
    connector.type,
    connector.title,
    connector.summary,
    connector.category,
    ...connector.aliases,
  ]
    .join(' ')
    .toLowerCase();
  return words.every((word) => text.includes(word));
}

const kCapabilities = ['read', 'write', 'subscribe', 'browse', 'command'] as const;

/** What this hub can talk to. Searched by protocol, vendor, product or port. */
export default function GalleryPage() {
  const { t } = useTranslation();
  const { data, error, refetch } = useConnectors();
  const [search, setSearch] = useState('');
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = (data ?? []).filter((connector) => matches(connector, words));
  return (
    <Page title={t('gallery.title')}>
      <div className={ui.toolbar}>
        <SearchField
          label={t('common.search')}
          placeholder={t('gallery.search')}
          autoFocus
          value={search}
          onChange={setSearch}
        />
      </div>
      {error && <ErrorMessage error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Loading />}
      {data && shown.length === 0 && (
        <Panel>
          <EmptyState
            title={t('gallery.noneFound', { search })}
            action={
              <Button variant="default" onClick={() => setSearch('')}>
                {t('connections.showAll')}
              </Button>
            }
          />
        </Panel>
      )}
      <ul className={classes.gallery}>
        {shown.map((connector) => (
          <li key={connector.type}>
            <article className={classes.card}>
              <span className={classes.category}>{connector.category}</span>
              <h2 className={classes.cardTitle}>
                <Link to={`/connections/new/${connector.type}`} className={classes.cardLink}>
                  {connector.title}
                </Link>
              </h2>
              <p className={classes.cardText}>{connector.summary}</p>
              <span className={connection.labels}>
                {kCapabilities
                  .filter((capability) => connector.capabilities.includes(capability))
                  .map((capability) => (
                    <span key={capability} className={ui.label}>
                      {t(`gallery.capability.${capability}`)}
                    </span>
                  ))}
              </span>
            </article>
          </li>
        ))}
      </ul>
    </Page>
  );
}
