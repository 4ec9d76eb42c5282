import { Button } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { EmptyState, Page, Panel } from '@/shared/ui';

export function NotFound() {
  const { t } = useTranslation();
  return (
    <Page title={t('error.notFound.title')}>
      <Panel>
        <EmptyState
          title={t('error.notFound.title')}
          text={t('error.notFound.text')}
          action={
            <Button component={Link} to="/connections">
              {t('error.notFound.action')}
            </Button>
          }
        />
      </Panel>
    </Page>
  );
}
