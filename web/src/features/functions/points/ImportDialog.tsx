import { Button, FileButton, Group, Text, Textarea } from '@mantine/core';
import { IconFileUpload } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, ask } from '@/shared/api';
import type { HubFunction } from '@/shared/data/functions';
import type { JsonObject } from '@/shared/form';
import { ErrorMessage, Message, notifyDone, ToneBadge, ui } from '@/shared/ui';
import { Dialog } from '@/shared/ui/Dialog';
import { usePointsContext } from './context';
import { type Fault, faultsOf, jsonRows } from './import-faults';
import { looks } from './outcomes';
import classes from './points.module.css';
import { type Change, compare, type PointSchema, rowsOf } from './rows';

const kMaxRows = 200;

interface ImportDialogProps {
  /** The member of the settings that holds the list. */
  member: string;
  point: PointSchema;
  rows: readonly JsonObject[];
  onClose: () => void;
}

/** The hub reads the file and says what would come of it; asked without `dryRun` it does it, as a whole or not at all. */
function send(
  fn: HubFunction,
  member: string,
  text: string,
  dryRun: boolean,
): Promise<HubFunction> {
  const params = {
    path: { id: fn.id },
    header: { 'If-Match': `"${fn.version}"` },
    query: { dryRun },
  };
  if (!/^\s*[[{]/.test(text))
    return ask(api.PUT('/functions/{id}/points', { params, body: { csv: text } }));
  const settings = { [member]: jsonRows(text) };
  return ask(api.PATCH('/functions/{id}', { params, body: { settings } }));
}

function Changes({ changes }: { changes: Change[] }) {
  const { t } = useTranslation();
  // What changes is looked for; what does not comes last.
  const ordered = [
    ...changes.filter(({ outcome }) => outcome !== 'unchanged'),
    ...changes.filter(({ outcome }) => outcome === 'unchanged'),
  ];
  const counts = (['create', 'update', 'remove', 'unchanged'] as const).map((outcome) => ({
    outcome,
    count: changes.filter((one) => one.outcome === outcome).length,
  }));
  return (
    <div className={classes.dialog}>
      <div className={classes.outcomes} role="status">
        {counts.map(({ outcome, count }) => (
          <ToneBadge key={outcome} {...looks[outcome]}>
            {count} {t(`points.outcome.${outcome}`)}
          </ToneBadge>
        ))}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <section className={classes.changes} tabIndex={0} aria-label={t('points.checked')}>
        <table className={ui.table}>
          <thead>
            <tr>
              <th scope="col" data-number>
                {t('points.row')}
              </th>
              <th scope="col">{t('points.point')}</th>
              <th scope="col">{t('points.what')}</th>
              <th scope="col">{t('points.place')}</th>
            </tr>
          </thead>
          <tbody>
            {ordered.slice(0, kMaxRows).map((change) => (
              <tr key={`${change.outcome} ${change.row}`}>
                <td data-number>{change.row}</td>
                <td>{change.name}</td>
                <td>
                  <ToneBadge plain {...looks[change.outcome]}>
                    {t(`points.outcome.${change.outcome}`)}
                  </ToneBadge>
                </td>
                <td className={ui.mono}>{change.members.join(', ')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {ordered.length > kMaxRows && (
        <Text size="xs" c="dimmed">
          {t('points.moreRows', { count: ordered.length - kMaxRows })}
        </Text>
      )}
    </div>
  );
}

function Faults({ faults }: { faults: Fault[] }) {
  const { t } = useTranslation();
  return (
    <Message tone="bad" alert>
      <p>{t('points.errors')}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <section className={classes.changes} tabIndex={0} aria-label={t('points.outcome.error')}>
        <table className={ui.table}>
          <thead>
            <tr>
              <th scope="col">{t('points.place')}</th>
              <th scope="col">{t('points.outcome.error')}</th>
            </tr>
          </thead>
          <tbody>
            {faults.map((fault) => (
              <tr key={`${fault.place} ${fault.message}`}>
                <td className={ui.nowrap}>{fault.place}</td>
                <td>{fault.message}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </Message>
  );
}

/** A file in place of the list: first what would become of each point, then, if wanted, all of it at once. */
export function ImportDialog({ member, point, rows, onClose }: ImportDialogProps) {
  const { t } = useTranslation();
  const { stored, onImported } = usePointsContext();
  const [text, setText] = useState('');
  const check = useMutation({
    mutationFn: async (content: string) => {
      if (!stored) return [];
      const would = await send(stored, member, content, true);
      return compare(rows, rowsOf(would.settings[member]), point.key);
    },
  });
  const apply = useMutation({
    mutationFn: async () => (stored ? send(stored, member, text, false) : null),
    onSuccess: (saved) => {
      if (!saved) return;
      const count = rowsOf(saved.settings[member]).length;
      notifyDone(t('points.imported', { name: saved.name, count }));
      onImported(saved);
      onClose();
    },
  });
  const take = (content: string) => {
    setText(content);
    check.reset();
    apply.reset();
  };
  const error = apply.error ?? check.error;
  const faults = faultsOf(error, member, t);
  const points = check.data?.filter(({ outcome }) => outcome !== 'remove').length ?? 0;
  return (
    <Dialog size="xl" onClose={onClose} title={t('points.importTitle')}>
      <div className={classes.dialog}>
        <Text size="sm">{t('points.importText')}</Text>
        <div className={classes.file}>
          <FileButton
            accept=".csv,.txt,.tsv,.json,text/csv,application/json"
            onChange={(file) => {
              void file?.text().then((content) => {
                take(content);
                check.mutate(content);
              });
            }}
          >
            {(props) => (
              <Button {...props} variant="default" leftSection={<IconFileUpload size={16} />}>
                {t('points.chooseFile')}
              </Button>
            )}
          </FileButton>
        </div>
        <Textarea
          label={t('points.orPaste')}
          autosize
          minRows={3}
          maxRows={8}
          spellCheck={false}
          value={text}
          onChange={(event) => take(event.currentTarget.value)}
        />
        {faults.length > 0 && <Faults faults={faults} />}
        {error !== null && faults.length === 0 && <ErrorMessage error={error} />}
        {check.data && faults.length === 0 && <Changes changes={check.data} />}
        <Group gap="xs" justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button
            variant={check.data ? 'default' : 'filled'}
            disabled={text.trim() === ''}
            loading={check.isPending}
            onClick={() => check.mutate(text)}
          >
            {t('points.check')}
          </Button>
          {check.data && faults.length === 0 && (
            <Button loading={apply.isPending} onClick={() => apply.mutate()}>
              {t('points.importNow', { count: points })}
            </Button>
          )}
        </Group>
      </div>
    </Dialog>
  );
}
