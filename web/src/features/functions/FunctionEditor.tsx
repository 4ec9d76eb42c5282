import { Button, Switch, Text, TextInput } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation, useNavigate, useParams, useSearchParams } from 'react-router';
import { ApiError, api, ask, type Schemas } from '@/shared/api';
import { CopyAs, functionDocument } from '@/shared/copy';
import { type Status, useConnection, useConnector } from '@/shared/data/connections';
import { functionKeys, type HubFunction } from '@/shared/data/functions';
import { type JsonSchema, SchemaForm, useSchemaForm, type WidgetFor } from '@/shared/form';
import { same } from '@/shared/form/without-defaults';
import { ErrorMessage, Loading, Message, notifyDone, Panel, ui } from '@/shared/ui';
import { useLeaveGuard } from '@/shared/ui/use-leave-guard';
import { LiveRecords, LiveTable, useLivePoints } from '@/shared/values';
import { BehaviourFields, behaviourOf, toSend } from './BehaviourFields';
import { ExecuteDialog } from './ExecuteDialog';
import classes from './functions.module.css';
import { type PointsContextValue, PointsProvider } from './points/context';
import { PointTable } from './points/PointTable';
import { pickedIn, withPoints } from './points/picked';
import { SubscriptionBadge } from './SubscriptionBadge';

type FunctionType = Schemas['FunctionType'];

function TypeChoice({
  types,
  onChoose,
}: {
  types: FunctionType[];
  onChoose: (type: string) => void;
}) {
  const { t } = useTranslation();
  return (
    <Panel title={t('functions.choose')}>
      <div className={classes.types}>
        {types.map((type) => (
          <button
            key={type.type}
            type="button"
            className={classes.type}
            onClick={() => onChoose(type.type)}
          >
            <strong>{type.title}</strong>
            <span className={classes.sub}>{type.summary}</span>
            <span className={classes.kind}>
              <span className={ui.label} title={t(`functions.kindHelp.${type.kind}`)}>
                {t(`functions.kind.${type.kind}`)}
              </span>
            </span>
          </button>
        ))}
      </div>
    </Panel>
  );
}

const widgetFor: WidgetFor = (schema) =>
  schema['x-widget'] === 'points' && schema.type === 'array' ? PointTable : undefined;

/** The first thing of the form that is wrong gets the focus: a field, or the list of points that has it. */
function focusProblem(): void {
  requestAnimationFrame(() =>
    document
      .querySelector<HTMLElement>(
        'form :is(input, select, textarea)[aria-invalid="true"], form [role="grid"][data-invalid="true"]',
      )
      ?.focus(),
  );
}

interface EditorProps {
  connectionId: string;
  type: FunctionType;
  canBrowse: boolean;
  /** As it was when the editor was opened: what is typed is a change of that, whatever the hub has by now. */
  stored: HubFunction | undefined;
  /** Begins again with what the hub has. */
  onReload: () => void;
}

function Editor({ connectionId, type, canBrowse, stored: given, onReload }: EditorProps) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const { state } = useLocation();
  const [stored] = useState(given);
  const [description, setDescription] = useState(stored?.description ?? '');
  const [name, setName] = useState(stored?.name ?? '');
  const [enabled, setEnabled] = useState(stored?.enabled ?? true);
  const [behaviour, setBehaviour] = useState(() => behaviourOf(type, stored));
  const [tried, setTried] = useState(false);
  const settings = useSchemaForm({
    schema: type.schema as JsonSchema,
    initial: stored?.settings ?? withPoints(type.schema as JsonSchema, pickedIn(state)),
    placeholders: true,
  });
  const list = `/connections/${connectionId}/functions`;
  const dirty =
    settings.dirty ||
    name !== (stored?.name ?? '') ||
    description !== (stored?.description ?? '') ||
    !same(behaviour, behaviourOf(type, stored)) ||
    enabled !== (stored?.enabled ?? true);
  const leave = useLeaveGuard(dirty);
  const put = (saved: HubFunction) => {
    client.setQueryData(functionKeys.one(saved.id), saved);
    void client.invalidateQueries({ queryKey: functionKeys.ofConnection(connectionId) });
  };
  const onImported = (saved: HubFunction) => {
    put(saved);
    onReload();
  };
  const points: PointsContextValue = { connectionId, stored, dirty, canBrowse, onImported };

  const save = useMutation({
    mutationFn: (): Promise<HubFunction> => {
      const body = {
        name: name.trim(),
        description,
        type: type.type,
        enabled,
        settings: settings.result(),
        ...toSend(type, behaviour),
      };
      return stored
        ? ask(
            api.PUT('/functions/{id}', {
              params: { path: { id: stored.id }, header: { 'If-Match': `"${stored.version}"` } },
              body,
            }),
          )
        : ask(
            api.POST('/connections/{id}/functions', {
              params: { path: { id: connectionId } },
              body,
            }),
          );
    },
    onSuccess: (saved) => {
      put(saved);
      leave.release();
      notifyDone(t('functions.saved', { name: saved.name }));
      void navigate(
        saved.kind === 'subscribe'
          ? `/connections/${connectionId}/values?function=${saved.id}`
          : list,
      );
    },
    onError: (error) => {
      if (!(error instanceof ApiError)) return;
      settings.takeServerErrors(error.fields);
      focusProblem();
    },
  });

  const conflict = save.error instanceof ApiError && save.error.status === 412;
  const missing = tried && name.trim() === '';
  const fields = save.error instanceof ApiError ? save.error.fields : [];
  const elsewhere = fields.filter(
    ({ pointer }) =>
      pointer !== '/name' && !pointer.startsWith('/settings/') && !pointer.startsWith('/freshness'),
  );
  const problems = settings.errors.size + (missing ? 1 : 0);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (settings.check() && name.trim() !== '') save.mutate();
    else focusProblem();
  };

  return (
    <Panel
      title={stored ? t('functions.editTitle', { name: stored.name }) : type.title}
      aside={
        <>
          <span className={ui.label}>{type.type}</span>
          {stored && (
            <CopyAs
              request={{ method: 'GET', path: `/functions/${stored.id}` }}
              document={() => functionDocument(stored)}
            />
          )}
        </>
      }
    >
      <form className={classes.form} onSubmit={submit} noValidate>
        <Text size="sm" c="dimmed">
          {type.summary} {t('functions.placeholderHelp')}
        </Text>
        <div className={classes.top}>
          <TextInput
            label={t('common.name')}
            placeholder={t('functions.namePlaceholder')}
            withAsterisk
            autoFocus
            value={name}
            maxLength={200}
            onChange={(event) => setName(event.currentTarget.value)}
            error={
              fields.find(({ pointer }) => pointer === '/name')?.message ??
              (missing && t('form.error.required'))
            }
          />
          <TextInput
            label={t('common.description')}
            value={description}
            maxLength={2000}
            onChange={(event) => setDescription(event.currentTarget.value)}
          />
          <Switch
            label={t('functions.enabled')}
            checked={enabled}
            onChange={(event) => setEnabled(event.currentTarget.checked)}
            mt={28}
          />
        </div>
        <PointsProvider value={points}>
          <SchemaForm form={settings} idPrefix="function" widgetFor={widgetFor} />
        </PointsProvider>
        <BehaviourFields
          kind={type.kind}
          value={behaviour}
          onChange={setBehaviour}
          error={fields.find(({ pointer }) => pointer.startsWith('/freshness'))?.message}
        />
        {problems > 0 && <Message tone="warn">{t('form.fixErrors', { count: problems })}</Message>}
        {elsewhere.length > 0 && (
          <Message tone="bad">
            {elsewhere.map((field) => (
              <p key={field.pointer}>{field.message}</p>
            ))}
          </Message>
        )}
        {conflict && (
          <Message
            tone="alert"
            alert
            action={
              <Button size="compact-sm" variant="default" onClick={onReload}>
                {t('functions.loadOther')}
              </Button>
            }
          >
            {t('functions.changedElsewhere')}
          </Message>
        )}
        {save.error && !conflict && fields.length === 0 && <ErrorMessage error={save.error} />}
        <div className={classes.foot}>
          <Button type="submit" loading={save.isPending}>
            {stored ? t('common.saveChanges') : t('common.save')}
          </Button>
          <Button variant="subtle" color="gray" onClick={() => void navigate(list)}>
            {t('common.cancel')}
          </Button>
          {dirty && (
            <Text size="sm" c="dimmed">
              {t('common.unsaved')}
            </Text>
          )}
        </div>
      </form>
      {leave.question}
    </Panel>
  );
}

function LivePreview({ fn }: { fn: HubFunction }) {
  const { t } = useTranslation();
  const points = useLivePoints(fn);
  return (
    <>
      <LiveRecords series={points.series} />
      <Panel flush title={t('functions.livePreview')} aside={<SubscriptionBadge fn={fn} />}>
        <LiveTable points={points} />
      </Panel>
    </>
  );
}

/** What a stored function gives now: its live values, or a button to run it. */
function Preview({ fn, status }: { fn: HubFunction; status: Status }) {
  const { t } = useTranslation();
  const [running, setRunning] = useState(false);
  if (fn.kind === 'subscribe') return fn.enabled ? <LivePreview key={fn.version} fn={fn} /> : null;
  return (
    <Panel title={t('functions.preview')}>
      <div className={classes.foot}>
        <Button
          variant="light"
          leftSection={<IconPlayerPlay size={16} />}
          onClick={() => setRunning(true)}
        >
          {t('functions.execute')}
        </Button>
        <Text size="sm" c="dimmed">
          {t('functions.previewText')}
        </Text>
      </div>
      {running && <ExecuteDialog fn={fn} status={status} onClose={() => setRunning(false)} />}
    </Panel>
  );
}

/** Make a function, or change one. */
export default function FunctionEditor() {
  const { id = '', functionId } = useParams();
  const [params, setParams] = useSearchParams();
  const { state } = useLocation();
  const connection = useConnection(id);
  const connector = useConnector(connection.data?.type);
  const stored = useQuery({
    queryKey: functionKeys.one(functionId ?? ''),
    queryFn: () => ask(api.GET('/functions/{id}', { params: { path: { id: functionId ?? '' } } })),
    enabled: functionId !== undefined,
  });
  const [opened, setOpened] = useState(0);
  const complete = connector.data && (!functionId || stored.data);
  const error = connection.error ?? connector.error ?? stored.error;
  // A hub that is away for a while takes nothing of what is being typed.
  if (error && !complete) return <ErrorMessage error={error} />;
  if (!connector.data || !complete) return <Loading />;
  const wanted = stored.data?.type ?? params.get('type');
  const type = connector.data.functions.find((one) => one.type === wanted);
  if (!type) {
    return (
      <TypeChoice
        types={connector.data.functions}
        onChoose={(chosen) => setParams({ type: chosen }, { replace: true, state })}
      />
    );
  }
  const status = connection.data?.state.status;
  return (
    <div className={classes.editor}>
      <Editor
        key={`${functionId ?? 'new'} ${type.type} ${opened}`}
        connectionId={id}
        type={type}
        canBrowse={connector.data.capabilities.includes('browse')}
        stored={stored.data}
        onReload={() => void stored.refetch().then(() => setOpened((old) => old + 1))}
      />
      {stored.data && status && <Preview fn={stored.data} status={status} />}
    </div>
  );
}
