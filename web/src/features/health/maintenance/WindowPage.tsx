import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useParams } from 'react-router';
import { api, ask } from '@/shared/api';
import { CopyAs, windowDocument } from '@/shared/copy';
import { useConnectors } from '@/shared/data/connections';
import { useSchemaForm } from '@/shared/form';
import { formatMoment } from '@/shared/format';
import { ErrorMessage, Loading, notifyDone } from '@/shared/ui';
import { healthKeys } from '../data';
import { Editor, takeRefusals } from '../form/Editor';
import classes from '../health.module.css';
import { fromForm, toForm, type Window, type WindowCreate, windowSchema } from './schema';

const kPauseMs = 600;
const kBack = '/health/maintenance';

const keep = (body: WindowCreate, stored: Window | undefined, dryRun: boolean): Promise<Window> =>
  stored
    ? ask(
        api.PUT('/maintenance-windows/{id}', {
          params: {
            path: { id: stored.id },
            // What is only tried out changes nothing of what somebody else did meanwhile.
            header: { 'If-Match': dryRun ? '*' : `"${stored.version}"` },
            query: { dryRun },
          },
          body,
        }),
      )
    : ask(api.POST('/maintenance-windows', { params: { query: { dryRun } }, body }));

/** When it would take place next: asked at every pause in typing, and silent while the hub would refuse it. */
function Preview({ body, stored }: { body: WindowCreate; stored: Window | undefined }) {
  const { t } = useTranslation();
  const text = JSON.stringify(body);
  const [paused, setPaused] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setPaused(text), kPauseMs);
    return () => clearTimeout(timer);
  }, [text]);
  const { data, error } = useQuery({
    queryKey: ['maintenance-preview', stored?.id, paused],
    queryFn: () => keep(JSON.parse(paused) as WindowCreate, stored, true),
    placeholderData: keepPreviousData,
    retry: false,
  });
  if (!data || error) return null;
  const { active, next } = data.state;
  const first = active ?? next;
  return (
    <output className={classes.quiet}>
      {first
        ? t(active ? 'health.windows.wouldBeginNow' : 'health.windows.wouldBegin', {
            from: formatMoment(first.from),
            to: formatMoment(first.to),
          })
        : t('health.windows.never')}
    </output>
  );
}

function Occurrences({ id }: { id: string }) {
  const { t } = useTranslation();
  const { data } = useQuery({
    queryKey: [...healthKeys.windows, id, 'occurrences'],
    queryFn: () =>
      ask(api.GET('/maintenance-windows/{id}/occurrences', { params: { path: { id } } })),
  });
  if (!data || data.items.length === 0) return null;
  return (
    <section aria-label={t('health.windows.occurrences')}>
      <h3 className={classes.boardTitle}>{t('health.windows.occurrences')}</h3>
      <ul className={classes.planned}>
        {data.items.map(({ from, to, localFrom, localTo }) => (
          <li key={from}>
            {formatMoment(from)} – {formatMoment(to)}{' '}
            <span className={classes.small}>
              {localFrom.slice(0, 16).replace('T', ' ')} – {localTo.slice(0, 16).replace('T', ' ')}{' '}
              {data.timeZone}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function WindowForm({ stored, types }: { stored: Window | undefined; types: readonly string[] }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const schema = useMemo(
    () => windowSchema(t, types, stored?.timeZone),
    [t, types, stored?.timeZone],
  );
  const form = useSchemaForm({ schema, ...(stored ? { initial: toForm(stored) } : {}) });
  const body = fromForm(form.result());
  const save = useMutation({
    mutationFn: () => keep(body, stored, false),
    onSuccess: async ({ name }) => {
      notifyDone(t('health.form.saved', { name }));
      await client.invalidateQueries({ queryKey: healthKeys.windows });
      await navigate(kBack);
    },
    onError: (error) => takeRefusals(form, error),
  });
  return (
    <Editor
      title={stored ? t('health.form.edit', { name: stored.name }) : t('health.windows.add')}
      form={form}
      idPrefix="window"
      back={kBack}
      pending={save.isPending}
      error={save.error}
      onSave={() => save.mutate()}
      aside={
        stored && (
          <CopyAs
            request={{ method: 'GET', path: `/maintenance-windows/${stored.id}` }}
            document={() => windowDocument(stored)}
          />
        )
      }
    >
      <Preview body={body} stored={stored} />
      {stored && <Occurrences id={stored.id} />}
    </Editor>
  );
}

/** One maintenance window, new or known. */
export default function WindowPage() {
  const { id } = useParams();
  const connectors = useConnectors();
  const stored = useQuery({
    queryKey: [...healthKeys.windows, id],
    queryFn: () =>
      ask(api.GET('/maintenance-windows/{id}', { params: { path: { id: id ?? '' } } })),
    enabled: id !== undefined,
    // A form is made from what was there when it was opened.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const types = useMemo(() => connectors.data?.map((one) => one.type).sort(), [connectors.data]);
  const error = stored.error ?? connectors.error;
  if (error) return <ErrorMessage error={error} />;
  if (!types || (id !== undefined && !stored.data)) return <Loading />;
  return <WindowForm key={id} stored={stored.data} types={types} />;
}
