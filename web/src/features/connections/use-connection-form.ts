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

/** The draft of a connection: what is common to all, and the settings of its connector. */
export function useConnectionForm(connector: Connector, stored: Connection | undefined) {
  const client = useQueryClient();
  const [name, setName] = useState(stored?.name ?? '');
  const [description, setDescription] = useState(stored?.description ?? '');
  const [labels, setLabels] = useState<Record<string, string>>(stored?.labels ?? {});
  const [autostart, setAutostart] = useState(stored?.autostart ?? true);
  const [tried, setTried] = useState(false);
  const settings = useSchemaForm({
    schema: connector.connectionSchema as JsonSchema,
    initial: stored?.settings,
    storedSecrets: stored?.secrets,
  });

  const draft = (): ConnectionCreate => ({
    name: name.trim(),
    type: connector.type,
    description: description.trim(),
    labels,
    settings: settings.result(),
    secrets: Object.fromEntries(
      Object.entries(settings.secrets).filter(
        (entry): entry is [string, string] => entry[1] !== null,
      ),
    ),
    autostart,
  });

  /** A merge patch: members of labels and settings that are gone must be named with null. */
  const patch = (before: Connection) => {
    const { type: _, ...body } = draft();
    const removed = (old: object, now: object) =>
      Object.fromEntries(
        Object.keys(old)
          .filter((key) => !(key in now))
          .map((key) => [key, null]),
      );
    return {
      ...body,
      labels: { ...removed(before.labels, labels), ...labels },
      settings: { ...removed(before.settings, body.settings ?? {}), ...body.settings },
      secrets: settings.secrets,
    };
  };

  const save = useMutation({
    mutationFn: (): Promise<Connection> =>
      stored
        ? ask(
            api.PATCH('/connections/{id}', {
              params: { path: { id: stored.id }, header: { 'If-Match': `"${stored.version}"` } },
              body: patch(stored),
            }),
          )
        : ask(api.POST('/connections', { body: draft() })),
    onSuccess: (connection) => {
      client.setQueryData(connectionKeys.one(connection.id), connection);
      void client.invalidateQueries({ queryKey: connectionKeys.all, exact: true });
    },
    onError: (error) => {
      if (error instanceof ApiError) settings.takeServerErrors(error.fields);
    },
  });

  const test = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/connections/test', {
          body: { ...draft(), name: name.trim() || connector.title },
        }),
      ),
    onError: (error) => {
      if (error instanceof ApiError) settings.takeServerErrors(error.fields);
    },
  });

  const nameError = (() => {
    const fromServer =
      save.error instanceof ApiError
        ? save.error.fields.find((field) => field.pointer === '/name')?.message
        : undefined;
    return { missing: tried && name.trim() === '', fromServer };
  })();

  /** Shows what is wrong; true when it can be sent. A test needs no name yet. */
  const check = (needsName: boolean) => {
    if (needsName) setTried(true);
    const valid = settings.check();
    return valid && (!needsName || name.trim() !== '');
  };

  return {
    name,
    setName,
    description,
    setDescription,
    labels,
    setLabels,
    autostart,
    setAutostart,
    settings,
    save,
    test,
    nameError,
    check,
  };
}

export type ConnectionFormState = ReturnType<typeof useConnectionForm>;
