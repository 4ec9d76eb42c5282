import { Button, Checkbox, NativeSelect } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { Fragment, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, ask, type Schemas } from '@/shared/api';
import {
  Ago,
  EmptyState,
  ErrorMessage,
  Loading,
  notifyDone,
  Panel,
  TableScroll,
  ui,
} from '@/shared/ui';
import { ConfirmDialog } from '@/shared/ui/ConfirmDialog';
import { pipelineKeys, useFailed } from '../data';
import { Json } from '../Json';
import { useThisPipeline } from '../PipelinePage';
import classes from '../pipelines.module.css';

type Letter = Schemas['DeadLetter'];
/** Null: all there are, shown or not. */
type Choice = string[] | null;

function useLetters(id: string, nodeId: string) {
  return useInfiniteQuery({
    queryKey: [...pipelineKeys.letters(id), nodeId],
    queryFn: ({ pageParam }) =>
      ask(
        api.GET('/pipelines/{id}/deadletters', {
          params: {
            path: { id },
            query: { limit: 100, cursor: pageParam, ...(nodeId ? { nodeId } : {}) },
          },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
  });
}

function Rows({
  letters,
  chosen,
  onChoose,
}: {
  letters: Letter[];
  chosen: ReadonlySet<string>;
  onChoose: (chosen: ReadonlySet<string>) => void;
}) {
  const { t } = useTranslation();
  const [open, setOpen] = useState<string | null>(null);
  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    onChoose(next);
  };
  return (
    <tbody>
      {letters.map((letter, place) => (
        <Fragment key={letter.id}>
          <tr>
            <td>
              <Checkbox
                size="xs"
                aria-label={t('letters.choose', { row: place + 1 })}
                checked={chosen.has(letter.id)}
                onChange={() => toggle(letter.id)}
              />
            </td>
            <td className={ui.nowrap}>
              <Ago at={letter.deadAt} />
            </td>
            <td className={ui.mono}>{letter.nodeId}</td>
            <td>
              {letter.reason.message} <span className={ui.label}>{letter.reason.code}</span>
            </td>
            <td data-number>{letter.attempts}</td>
            <td className={ui.nowrap}>
              <Ago at={letter.acceptedAt} />
            </td>
            <td>
              <Button
                size="compact-sm"
                variant="default"
                aria-expanded={open === letter.id}
                aria-label={t('letters.show', { row: place + 1 })}
                onClick={() => setOpen(open === letter.id ? null : letter.id)}
              >
                {t('letters.payload')}
              </Button>
            </td>
          </tr>
          {open === letter.id && (
            <tr>
              <td colSpan={7}>
                <Json value={letter.payload} label={t('letters.payload')} />
              </td>
            </tr>
          )}
        </Fragment>
      ))}
    </tbody>
  );
}

/** What destinations refused: with its reason and payload, to be released or deleted; one, many or all. */
export default function DeadLettersTab() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { id, nodes } = useThisPipeline();
  const [nodeId, setNodeId] = useState('');
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [deleting, setDeleting] = useState<{ choice: Choice } | null>(null);
  const query = useLetters(id, nodeId);
  const params = { path: { id } };
  const body = (choice: Choice) => (choice ? { ids: choice } : {});
  const done = () => {
    setChosen(new Set());
    setDeleting(null);
    void client.invalidateQueries({ queryKey: pipelineKeys.letters(id) });
    void client.invalidateQueries({ queryKey: pipelineKeys.one(id), exact: true });
  };
  const failed = useFailed();
  const release = useMutation({
    mutationFn: (choice: Choice) =>
      ask(api.POST('/pipelines/{id}/deadletters/release', { params, body: body(choice) })),
    onSuccess: ({ released = 0 }) => {
      notifyDone(t('letters.released', { count: released }));
      done();
    },
    onError: failed,
  });
  const remove = useMutation({
    mutationFn: (choice: Choice) =>
      ask(api.POST('/pipelines/{id}/deadletters/delete', { params, body: body(choice) })),
    onSuccess: ({ deleted = 0 }) => {
      notifyDone(t('letters.deleted', { count: deleted }));
      done();
    },
  });
  if (query.error) return <ErrorMessage error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Loading />;
  const letters = query.data.pages.flatMap((page) => page.items);
  const durable = nodes.filter((node) => node.delivery !== undefined);
  const some = chosen.size > 0;
  const choice = some ? [...chosen] : null;
  const empty = letters.length === 0;
  return (
    <Panel
      flush
      aside={
        <div className={classes.controls}>
          {durable.length > 1 && (
            <NativeSelect
              size="xs"
              aria-label={t('letters.destination')}
              value={nodeId}
              data={[
                { value: '', label: t('letters.anyDestination') },
                ...durable.map((node) => ({ value: node.id, label: node.id })),
              ]}
              onChange={(event) => {
                setNodeId(event.currentTarget.value);
                setChosen(new Set());
              }}
            />
          )}
          {some && <span>{t('letters.chosen', { count: chosen.size })}</span>}
          <Button
            size="compact-sm"
            disabled={empty || (!some && nodeId !== '')}
            loading={release.isPending}
            onClick={() => release.mutate(choice)}
          >
            {some ? t('letters.release') : t('letters.releaseAll')}
          </Button>
          <Button
            size="compact-sm"
            variant="default"
            disabled={empty || (!some && nodeId !== '')}
            onClick={() => setDeleting({ choice })}
          >
            {some ? t('common.delete') : t('letters.deleteAll')}
          </Button>
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconRefresh size={14} />}
            loading={query.isFetching}
            onClick={() => void query.refetch()}
          >
            {t('letters.refresh')}
          </Button>
        </div>
      }
    >
      {empty ? (
        <EmptyState title={t('letters.empty')} text={t('letters.emptyText')} />
      ) : (
        <TableScroll>
          <table className={`${ui.table} ${ui.rows}`}>
            <thead>
              <tr>
                <th>
                  <Checkbox
                    size="xs"
                    aria-label={t('letters.chooseAll')}
                    checked={letters.every((one) => chosen.has(one.id))}
                    indeterminate={some && !letters.every((one) => chosen.has(one.id))}
                    onChange={(event) =>
                      setChosen(
                        new Set(event.currentTarget.checked ? letters.map((one) => one.id) : []),
                      )
                    }
                  />
                </th>
                <th scope="col">{t('letters.deadAt')}</th>
                <th scope="col">{t('letters.destination')}</th>
                <th scope="col">{t('letters.reason')}</th>
                <th scope="col" data-number>
                  {t('letters.attempts')}
                </th>
                <th scope="col">{t('letters.acceptedAt')}</th>
                <th scope="col">{t('letters.payload')}</th>
              </tr>
            </thead>
            <Rows letters={letters} chosen={chosen} onChoose={setChosen} />
          </table>
        </TableScroll>
      )}
      {query.hasNextPage && (
        <div className={classes.foot}>
          <Button variant="default" onClick={() => void query.fetchNextPage()}>
            {t('letters.older')}
          </Button>
        </div>
      )}
      {deleting && (
        <ConfirmDialog
          title={t('letters.deleteTitle')}
          action={t('common.delete')}
          pending={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate(deleting.choice)}
          onClose={() => setDeleting(null)}
        >
          {t('letters.deleteText')}
        </ConfirmDialog>
      )}
    </Panel>
  );
}
