import { Button } from '@mantine/core';
import { IconSend } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useParams } from 'react-router';
import { api, ask } from '@/shared/api';
import { CopyAs } from '@/shared/copy';
import { useConnectors } from '@/shared/data/connections';
import { useSchemaForm } from '@/shared/form';
import { ErrorMessage, Loading, notifyDone } from '@/shared/ui';
import { healthKeys } from '../data';
import { Editor, takeRefusals } from '../form/Editor';
import { type Notice, type NoticeCreate, noticeSchema, toForm } from './schema';
import { TestResult } from './TestResult';

const kBack = '/health/notices';

function NoticeForm({ stored, types }: { stored: Notice | undefined; types: readonly string[] }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const schema = useMemo(() => noticeSchema(t, types), [t, types]);
  const form = useSchemaForm({
    schema,
    ...(stored ? { initial: toForm(stored), storedSecrets: stored.secrets } : {}),
  });
  const body = () => ({ ...form.result(), secrets: form.secrets }) as NoticeCreate;
  const save = useMutation({
    mutationFn: (): Promise<Notice> =>
      stored
        ? ask(
            api.PUT('/notices/{id}', {
              params: { path: { id: stored.id }, header: { 'If-Match': `"${stored.version}"` } },
              body: body(),
            }),
          )
        : ask(api.POST('/notices', { body: body() })),
    onSuccess: async ({ name }) => {
      notifyDone(t('health.form.saved', { name }));
      await client.invalidateQueries({ queryKey: healthKeys.notices });
      await navigate(kBack);
    },
    onError: (error) => takeRefusals(form, error),
  });
  const test = useMutation({
    mutationFn: (id: string) => ask(api.POST('/notices/{id}/test', { params: { path: { id } } })),
  });
  return (
    <Editor
      title={stored ? t('health.form.edit', { name: stored.name }) : t('health.notices.add')}
      form={form}
      idPrefix="notice"
      back={kBack}
      pending={save.isPending}
      error={save.error}
      onSave={() => save.mutate()}
      aside={stored && <CopyAs request={{ method: 'GET', path: `/notices/${stored.id}` }} />}
      actions={
        stored && (
          <Button
            variant="default"
            leftSection={<IconSend size={14} />}
            title={t('health.notices.testHelp')}
            disabled={form.dirty}
            loading={test.isPending}
            onClick={() => test.mutate(stored.id)}
          >
            {t('health.notices.test')}
          </Button>
        )
      }
    >
      {test.data && <TestResult result={test.data} />}
      {test.error && <ErrorMessage error={test.error} />}
    </Editor>
  );
}

/** One notice, new or known. */
export default function NoticePage() {
  const { id } = useParams();
  const connectors = useConnectors();
  const stored = useQuery({
    queryKey: [...healthKeys.notices, id],
    queryFn: () => ask(api.GET('/notices/{id}', { params: { path: { id: id ?? '' } } })),
    enabled: id !== undefined,
    // A form is made from what was there when it was opened.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const types = useMemo(() => connectors.data?.map((one) => one.type).sort(), [connectors.data]);
  const error = stored.error ?? connectors.error;
  if (error) return <ErrorMessage error={error} />;
  if (!types || (id !== undefined && !stored.data)) return <Loading />;
  return <NoticeForm key={id} stored={stored.data} types={types} />;
}
