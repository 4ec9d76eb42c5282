import { Loader } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './ui.module.css';

interface PageProps {
  title: string;
  /** Beside the title: a status, a count. */
  aside?: ReactNode;
  actions?: ReactNode;
  narrow?: boolean;
  children: ReactNode;
}

/** One page: its heading, its actions, its content; the browser's title follows. */
export function Page({ title, aside, actions, narrow, children }: PageProps) {
  const { t } = useTranslation();
  useEffect(() => {
    document.title = `${title} · ${t('app.name')}`;
  }, [title, t]);
  return (
    <div className={`${classes.page} ${narrow ? classes.narrow : ''}`}>
      <header className={classes.header}>
        <h1 className={classes.title}>{title}</h1>
        {aside}
        <div className={classes.spacer} />
        {actions}
      </header>
      {children}
    </div>
  );
}

interface PanelProps {
  title?: string;
  aside?: ReactNode;
  /** The content brings its own distance to the edges: tables. */
  flush?: boolean;
  children: ReactNode;
}

/** A framed part of a page. */
export function Panel({ title, aside, flush, children }: PanelProps) {
  return (
    <section className={classes.panel} aria-label={title}>
      {(title || aside) && (
        <div className={classes.panelHead}>
          {title && <h2 className={classes.panelTitle}>{title}</h2>}
          <div className={classes.spacer} />
          {aside}
        </div>
      )}
      {flush ? children : <div className={classes.panelBody}>{children}</div>}
    </section>
  );
}

export function Loading() {
  const { t } = useTranslation();
  return (
    <output className={classes.loading} aria-label={t('common.loading')}>
      <Loader size="sm" type="dots" />
    </output>
  );
}

/** Nothing there yet: what it is, and the one thing to do. */
export function EmptyState({
  icon,
  title,
  text,
  action,
}: {
  icon?: ReactNode;
  title: string;
  text?: string;
  action?: ReactNode;
}) {
  return (
    <div className={classes.empty}>
      {icon}
      <h2 className={classes.emptyTitle}>{title}</h2>
      {text && <p>{text}</p>}
      {action}
    </div>
  );
}
