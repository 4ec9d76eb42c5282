import { Button } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { EmptyState } from './Page';
import classes from './ui.module.css';

function Crash({ error }: { error: Error }) {
  const { t } = useTranslation();
  return (
    <div role="alert">
      <EmptyState
        title={t('error.crash.title')}
        text={t('error.crash.text')}
        action={
          <>
            <pre className={classes.code}>{error.message}</pre>
            <Button onClick={() => location.reload()}>{t('error.crash.action')}</Button>
          </>
        }
      />
    </div>
  );
}

/** Keeps the rest of the page alive when a part of it throws. A new `resetKey` (the address) tries again. */
export class ErrorBoundary extends Component<
  { children: ReactNode; resetKey?: string },
  { error: Error | null; key: string | undefined }
> {
  override state: { error: Error | null; key: string | undefined } = {
    error: null,
    key: undefined,
  };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  static getDerivedStateFromProps(
    props: { resetKey?: string },
    state: { error: Error | null; key: string | undefined },
  ) {
    return props.resetKey === state.key ? null : { error: null, key: props.resetKey };
  }

  override render() {
    return this.state.error ? <Crash error={this.state.error} /> : this.props.children;
  }
}
