import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError, api, ask } from '@/shared/api';
import {
  type Connection,
  type ConnectionCreate,
  type Connector,
  connectionKeys,
} from '@/shared/data/connections';
import { type JsonSchema, useSchemaForm } from '@/shared/form';
import { withoutDefaults } from '@/shared/form/without-defaults';
import { mergePatch } from './merge-patch';

/** What every connection has, whatever it leads to. */
export interface Common {
  name: string;
  description: string;
  labels: Record<string, string>;
  autostart: boolean;
}

const startOf = (stored: Connection | undefined): Common => ({
  name: stored?.name ?? '',
  description: stored?.description ?? '',
  labels: stored?.labels ?? {},
  autostart: stored?.autostart ?? true,
});

/** The draft of a connection: what is common to all, and the settings of its connector. */
export function useConnectionForm(connector: Connector, stored?: Connection) {
  const client = useQueryClient();
  const [common, setCommon] = useState(() => startOf(stored));
  const [touched, setTouched] = useState(false);
  const [tried, setTried] = useState(false);
  const settings = useSchemaForm({
    schema: connector.connectionSchema as JsonSchema,
    initial: stored?.settings,
    storedSecrets: stored?.secrets,
  });
  const reconnectSchema = connector.reconnectSchema as JsonSchema;
  const reconnect = useSchemaForm({
    schema: reconnectSchema,
    initial: stored?.reconnect,
    area: '/reconnect',
  });
  const [before] = useState(() => ({
    ...startOf(stored),
    settings: stored?.settings ?? {},
    reconnect: stored?.reconnect ?? {},
  }));
  const dirty = touched || settings.dirty || reconnect.dirty;

  const set = (change: Partial<Common>) => {
    setCommon((old) => ({ ...old, ...change }));
    setTouched(true);
  };

  const draft = (): ConnectionCreate => ({
    ...common,
    name: common.name.trim(),
    description: common.description.trim(),
    type: connector.type,
    settings: settings.result(),
    // Only what somebody chose: all else follows the defaults of the connector's family.
    reconnect: withoutDefaults(reconnectSchema, reconnect.result(), before.reconnect),
    secrets: Object.fromEntries(
      Object.entries(settings.secrets).filter(
        (entry): entry is [string, string] => entry[1] !== null,
      ),
    ),
  });

  /** Only what was changed here: what somebody else changed meanwhile stays as it is. */
  const patch = () => {
    const { type: _, secrets: __, ...now } = draft();
    return {
      ...mergePatch(before, now),
      ...(Object.keys(settings.secrets).length > 0 ? { secrets: settings.secrets } : {}),
    };
  };

  const takeErrors = (error: Error) => {
    if (error instanceof ApiError)
      reconnect.takeServerErrors(settings.takeServerErrors(error.fields));
  };
  const save = useMutation({
    /** `version`: the one that the changes are meant for, when it is not the one that was loaded. */
    mutationFn: (version?: number): Promise<Connection> =>
      stored
        ? ask(
            api.PATCH('/connections/{id}', {
              params: {
                path: { id: stored.id },
                header: { 'If-Match': `"${version ?? stored.version}"` },
              },
              body: patch(),
            }),
          )
        : ask(api.POST('/connections', { body: draft() })),
    onSuccess: (connection) => {
      client.setQueryData(connectionKeys.one(connection.id), connection);
      void client.invalidateQueries({ queryKey: connectionKeys.all, exact: true });
    },
    onError: takeErrors,
  });

  const test = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/connections/test', {
          body: { ...draft(), name: common.name.trim() || connector.title },
        }),
      ),
    onError: takeErrors,
  });

  const { error } = save;
  const nameError = {
    missing: tried && common.name.trim() === '',
    fromServer:
      error instanceof ApiError
        ? (error.fields.find((field) => field.pointer === '/name')?.message ??
          (error.code === 'name_taken' ? error.message : undefined))
        : undefined,
  };

  /** Shows what is wrong; true when it can be saved. */
  const check = () => {
    setTried(true);
    const complete = [settings.check(), reconnect.check()].every(Boolean);
    return complete && common.name.trim() !== '';
  };

  /** What is said in general: not what stands at the fields already. */
  const general = (failure: unknown) =>
    failure instanceof ApiError &&
    (failure.code === 'name_taken' || (failure.status === 422 && failure.fields.length > 0))
      ? null
      : failure;

  return {
    common,
    set,
    settings,
    reconnect,
    /** Something of it was set when the form was opened. */
    chosenReconnect: Object.keys(before.reconnect).length > 0,
    save,
    test,
    nameError,
    check,
    general,
    draft,
    dirty,
  };
}

export type ConnectionFormState = ReturnType<typeof useConnectionForm>;
