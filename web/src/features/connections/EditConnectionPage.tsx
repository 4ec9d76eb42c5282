import { useTranslation } from 'react-i18next';
import { useNavigate, useParams } from 'react-router';
import { useConnection, useConnector } from '@/shared/data/connections';
import { ErrorMessage, Loading, notifyDone, Page } from '@/shared/ui';
import { ConnectionForm } from './ConnectionForm';

export default function EditConnectionPage() {
  const { t } = useTranslation();
  const { id = '' } = useParams();
  const navigate = useNavigate();
  const connection = useConnection(id);
  const connector = useConnector(connection.data?.type);
  const error = connection.error ?? connector.error;
  if (error) return <ErrorMessage error={error} />;
  if (!connection.data || !connector.data) return <Loading />;
  return (
    <Page title={t('editConnection.editTitle', { name: connection.data.name })}>
      <ConnectionForm
        key={`${connection.data.id} ${connection.data.version}`}
        connector={connector.data}
        stored={connection.data}
        onCancel={() => void navigate(`/connections/${id}`)}
        onSaved={(saved) => {
          notifyDone(t('editConnection.saved', { name: saved.name }));
          void navigate(`/connections/${saved.id}`);
        }}
      />
    </Page>
  );
}
