import { Button, Group, NativeSelect, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/shared/api';
import { hubNow } from '@/shared/data/clock';
import type { Suspend } from '@/shared/data/connections';
import { formatSpan } from '@/shared/format';
import { ErrorMessage } from '@/shared/ui';
import { Dialog } from '@/shared/ui/Dialog';
import { ImpactPreview } from './ImpactPreview';

const kMinute = 60_000;
const kEnds = [15, 60, 240, 480, 1440].map((minutes) => minutes * kMinute);
const kAt = 'at';

interface SuspendDialogProps {
  title: string;
  ids: readonly string[];
  pending: boolean;
  error: unknown;
  onSuspend: (suspend: Suspend) => void;
  onClose: () => void;
}

/** Until when, as the form has it; null when nobody has said a time that lies ahead. */
function untilOf(end: string, at: string): string | null {
  const time = end === kAt ? Date.parse(at) : hubNow() + Number(end);
  return Number.isFinite(time) && time > hubNow() ? new Date(time).toISOString() : null;
}

/** A pause needs a reason, for the history and the next shift; it may end by itself, and says what then. */
export function SuspendDialog(props: SuspendDialogProps) {
  const { t } = useTranslation();
  const { error } = props;
  const [reason, setReason] = useState('');
  const [end, setEnd] = useState('');
  const [at, setAt] = useState('');
  const [then, setThen] = useState<'resumeAndStart' | 'resume'>('resumeAndStart');
  const [tried, setTried] = useState(false);
  const missing = reason.trim() === '';
  const ends = end !== '';
  const until = ends ? untilOf(end, at) : null;
  const fromServer =
    error instanceof ApiError
      ? error.fields.find((field) => field.pointer === '/reason')?.message
      : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (missing || (ends && until === null)) return;
    props.onSuspend({ reason: reason.trim(), until, ...(until ? { then } : {}) });
  };
  return (
    <Dialog onClose={props.onClose} title={props.title}>
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          <Text size="sm">{t('suspend.text')}</Text>
          <Textarea
            label={t('suspend.reason')}
            description={t('suspend.reasonHelp')}
            inputWrapperOrder={['label', 'input', 'error', 'description']}
            placeholder={t('suspend.reasonPlaceholder')}
            withAsterisk
            autosize
            minRows={2}
            data-autofocus
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            error={fromServer ?? (tried && missing && t('suspend.reasonMissing'))}
          />
          <NativeSelect
            label={t('suspend.until')}
            value={end}
            onChange={(event) => setEnd(event.currentTarget.value)}
            data={[
              { value: '', label: t('suspend.untilOpen') },
              ...kEnds.map((ms) => ({
                value: String(ms),
                label: t('suspend.untilIn', { span: formatSpan(ms, t) }),
              })),
              { value: kAt, label: t('suspend.untilAt') },
            ]}
          />
          {end === kAt && (
            <TextInput
              type="datetime-local"
              label={t('suspend.at')}
              withAsterisk
              value={at}
              onChange={(event) => setAt(event.currentTarget.value)}
              error={tried && until === null && t('suspend.atMissing')}
            />
          )}
          {ends && (
            <NativeSelect
              label={t('suspend.afterwards')}
              value={then}
              onChange={(event) =>
                setThen(event.currentTarget.value === 'resume' ? 'resume' : 'resumeAndStart')
              }
              data={(['resumeAndStart', 'resume'] as const).map((value) => ({
                value,
                label: t(`suspend.${value}`),
              }))}
            />
          )}
          <ImpactPreview ids={props.ids} />
          {error !== null && error !== undefined && !fromServer && <ErrorMessage error={error} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={props.onClose}>
              {t('common.cancel')}
            </Button>
            <Button type="submit" loading={props.pending}>
              {t('suspend.submit')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
