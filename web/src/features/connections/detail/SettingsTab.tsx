import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Connection, useConnection, useConnector } from '@/shared/data/connections';
import { ErrorMessage, Loading, notifyDone } from '@/shared/ui';
import { EditForm } from '../edit/EditForm';
import { useThisConnection } from './ConnectionPage';
import { Versions } from './Versions';

/** The settings of a connection. What is being typed is not touched by what others save; saving tells. */
export default function SettingsTab() {
  const { t } = useTranslation();
  const connection = useThisConnection();
  const connector = useConnector(connection.type);
  const { refetch } = useConnection(connection.id);
  const [loaded, setLoaded] = useState<Connection>(connection);
  const [round, setRound] = useState(0);
  if (connector.error) return <ErrorMessage error={connector.error} />;
  if (!connector.data) return <Loading />;
  const begin = (next: Connection) => {
    setLoaded(next);
    setRound((old) => old + 1);
  };
  return (
    <>
      <EditForm
        key={`${loaded.id} ${round}`}
        connector={connector.data}
        stored={{ ...loaded, state: connection.state }}
        onSaved={(saved) => {
          notifyDone(t('editConnection.saved', { name: saved.name }));
          begin(saved);
        }}
        latest={connection}
        onBeginAgain={begin}
        onReload={() => void refetch().then(({ data }) => data && begin(data))}
      />
      <Versions connection={connection} onRestored={begin} />
    </>
  );
}
