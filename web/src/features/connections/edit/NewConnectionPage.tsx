import { useTranslation } from 'react-i18next';
import { useNavigate, useParams } from 'react-router';
import { useConnector } from '@/shared/data/connections';
import { ErrorMessage, Loading, notifyDone, Page } from '@/shared/ui';
import { Wizard } from './Wizard';

/** A new connection, step by step. */
export default function NewConnectionPage() {
  const { t } = useTranslation();
  const { type } = useParams();
  const navigate = useNavigate();
  const { data: connector, error, refetch } = useConnector(type);
  if (error) return <ErrorMessage error={error} onRetry={() => void refetch()} />;
  if (!connector) return <Loading />;
  return (
    <Page title={t('editConnection.newTitle', { connector: connector.title })}>
      <Wizard
        key={connector.type}
        connector={connector}
        onCancel={() => void navigate('/connections/new')}
        onSaved={(connection) => {
          notifyDone(t('editConnection.created', { name: connection.name }));
          void navigate(`/connections/${connection.id}/functions/new`);
        }}
      />
    </Page>
  );
}
