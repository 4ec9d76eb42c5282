import { Button, Group, Stack } from '@mantine/core';
import {
  IconAlertTriangle,
  IconBan,
  IconCertificate,
  IconCircleCheck,
  IconHome,
} from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import { api, ask, type Schemas } from '@/shared/api';
import { formatMoment } from '@/shared/format';
import {
  CopyButton,
  EmptyState,
  ErrorMessage,
  Fact,
  Facts,
  type Icon,
  Loading,
  Message,
  notifyDone,
  Panel,
  TableScroll,
  type Tone,
  ToneBadge,
  ui,
} from '@/shared/ui';
import { ConfirmDialog } from '@/shared/ui/ConfirmDialog';
import { Dialog } from '@/shared/ui/Dialog';
import classes from './settings.module.css';

type Certificate = Schemas['Certificate'];
type State = Certificate['state'];

const key = ['certificates'] as const;
const states: State[] = ['rejected', 'trusted', 'own'];
const looks: Record<State, { tone: Tone; icon: Icon }> = {
  own: { tone: 'info', icon: IconHome },
  trusted: { tone: 'good', icon: IconCircleCheck },
  rejected: { tone: 'bad', icon: IconBan },
};
const kSoonDays = 30;

/** Only what a person decided, or has to decide, can be taken back. */
const canRemove = ({ state, decision }: Certificate) => state === 'rejected' || decision !== null;

function Validity({ certificate: { notAfter, daysLeft } }: { certificate: Certificate }) {
  const { t } = useTranslation();
  const text =
    daysLeft < 0
      ? t('settings.certificates.expired')
      : t('settings.certificates.daysLeft', { count: daysLeft });
  return (
    <>
      <div className={ui.nowrap}>{formatMoment(notAfter)}</div>
      {daysLeft < kSoonDays ? (
        <ToneBadge plain tone={daysLeft < 0 ? 'bad' : 'warn'} icon={IconAlertTriangle}>
          {text}
        </ToneBadge>
      ) : (
        <span className={classes.sub}>{text}</span>
      )}
    </>
  );
}

function Users({ certificate }: { certificate: Certificate }) {
  const { t } = useTranslation();
  return certificate.usedBy.map(({ connectionId, connectionName, role }) => (
    <div key={`${connectionId} ${connectionName} ${role}`}>
      {connectionId ? (
        <Link to={`/connections/${connectionId}`}>{connectionName}</Link>
      ) : (
        (connectionName ?? t('settings.certificates.hub'))
      )}
      <div className={classes.sub}>{t(`settings.certificates.role.${role}`)}</div>
    </div>
  ));
}

function CertificateFacts({ certificate }: { certificate: Certificate }) {
  const { t } = useTranslation();
  return (
    <Facts>
      <Fact name={t('settings.certificates.subject')}>{certificate.subject}</Fact>
      <Fact name={t('settings.certificates.issuer')}>{certificate.issuer}</Fact>
      <Fact name={t('settings.certificates.names')}>
        {certificate.names.join(', ') || t('settings.certificates.noNames')}
      </Fact>
      <Fact name={t('settings.certificates.validFrom')}>{formatMoment(certificate.notBefore)}</Fact>
      <Fact name={t('settings.certificates.validUntil')}>{formatMoment(certificate.notAfter)}</Fact>
      {certificate.lastSeenAt && (
        <Fact name={t('settings.certificates.lastSeen')}>
          {formatMoment(certificate.lastSeenAt)}
        </Fact>
      )}
      <Fact name={t('settings.certificates.fingerprint')}>
        <span className={classes.fingerprint}>{certificate.sha256}</span>
      </Fact>
    </Facts>
  );
}

interface DialogProps {
  certificate: Certificate;
  onClose: () => void;
}

/** Everything about one; of a rejected one with the decision about it. */
function DetailsDialog({ certificate, onClose }: DialogProps) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const rejected = certificate.state === 'rejected';
  const trust = useMutation({
    mutationFn: () =>
      ask(api.POST('/certificates/{id}/trust', { params: { path: { id: certificate.id } } })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: key });
      notifyDone(t('settings.certificates.trusted', { subject: certificate.subject }));
      onClose();
    },
  });
  return (
    <Dialog
      size="lg"
      onClose={onClose}
      title={rejected ? t('settings.certificates.trustTitle') : certificate.subject}
    >
      <Stack>
        {certificate.reason && (
          <Message tone="warn">
            <p>{t('settings.certificates.reason')}</p>
            <p>{certificate.reason.message}</p>
          </Message>
        )}
        <CertificateFacts certificate={certificate} />
        {certificate.decision && (
          <p className={classes.intro}>
            {t('settings.certificates.decision', { by: certificate.decision.by })}
            {certificate.decision.at && `, ${formatMoment(certificate.decision.at)}`}
          </p>
        )}
        {rejected && <p className={classes.intro}>{t('settings.certificates.trustText')}</p>}
        {trust.error && <ErrorMessage error={trust.error} />}
        <Group justify="flex-end" gap="xs">
          <CopyButton text={() => certificate.pem} label={t('settings.certificates.copyPem')} />
          <Button variant="default" onClick={onClose}>
            {t('common.close')}
          </Button>
          {rejected && (
            <Button loading={trust.isPending} onClick={() => trust.mutate()}>
              {t('settings.certificates.trust')}
            </Button>
          )}
        </Group>
      </Stack>
    </Dialog>
  );
}

function RemoveDialog({ certificate, onClose }: DialogProps) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () =>
      ask(api.DELETE('/certificates/{id}', { params: { path: { id: certificate.id } } })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: key });
      notifyDone(t('settings.certificates.removed', { subject: certificate.subject }));
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={t('settings.certificates.removeTitle', { subject: certificate.subject })}
      action={t('settings.certificates.remove')}
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      {certificate.state === 'rejected'
        ? t('settings.certificates.removeRejected')
        : t('settings.certificates.removeTrusted')}
    </ConfirmDialog>
  );
}

function Row({
  certificate,
  onShow,
  onRemove,
}: {
  certificate: Certificate;
  onShow: () => void;
  onRemove: () => void;
}) {
  const { t } = useTranslation();
  const { subject, issuer, state } = certificate;
  const name = (action: string) => `${action}: ${subject}`;
  const show =
    state === 'rejected' ? t('settings.certificates.trust') : t('settings.certificates.show');
  return (
    <tr>
      <td>
        <ToneBadge plain {...looks[state]}>
          {t(`settings.certificates.state.${state}`)}
        </ToneBadge>
      </td>
      <td className={classes.subject}>
        <div>{subject}</div>
        {issuer !== subject && <div className={classes.sub}>{issuer}</div>}
        {certificate.reason && <div className={classes.note}>{certificate.reason.message}</div>}
      </td>
      <td>
        <Validity certificate={certificate} />
      </td>
      <td className={classes.users}>
        <Users certificate={certificate} />
      </td>
      <td>
        <div className={classes.controls}>
          <Button size="compact-sm" variant="default" aria-label={name(show)} onClick={onShow}>
            {show}
          </Button>
          {canRemove(certificate) && (
            <Button
              size="compact-sm"
              variant="default"
              aria-label={name(t('settings.certificates.remove'))}
              onClick={onRemove}
            >
              {t('settings.certificates.remove')}
            </Button>
          )}
        </div>
      </td>
    </tr>
  );
}

function CertificatesTable({ certificates }: { certificates: Certificate[] }) {
  const { t } = useTranslation();
  const [shown, setShown] = useState<Certificate | null>(null);
  const [removing, setRemoving] = useState<Certificate | null>(null);
  return (
    <>
      <TableScroll>
        <table className={`${ui.table} ${ui.rows}`}>
          <thead>
            <tr>
              <th scope="col">{t('settings.certificates.stateColumn')}</th>
              <th scope="col">{t('settings.certificates.subject')}</th>
              <th scope="col">{t('settings.certificates.validUntil')}</th>
              <th scope="col">{t('settings.certificates.usedBy')}</th>
              <th scope="col">
                <span className={ui.hidden}>{t('common.actions')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {certificates.map((one) => (
              <Row
                key={`${one.state} ${one.id}`}
                certificate={one}
                onShow={() => setShown(one)}
                onRemove={() => setRemoving(one)}
              />
            ))}
          </tbody>
        </table>
      </TableScroll>
      {shown && <DetailsDialog certificate={shown} onClose={() => setShown(null)} />}
      {removing && <RemoveDialog certificate={removing} onClose={() => setRemoving(null)} />}
    </>
  );
}

/** Whom the hub trusts, what it shows of itself and what it refused, in one grid; refused ones first. */
export default function CertificatesTab() {
  const { t } = useTranslation();
  const [params, setParams] = useSearchParams();
  const { data, error, refetch } = useQuery({
    queryKey: key,
    queryFn: async () =>
      (await ask(api.GET('/certificates', { params: { query: { limit: 1000 } } }))).items,
    refetchInterval: 10_000,
  });
  const state = states.find((one) => one === params.get('state')) ?? null;
  const choose = (wanted: State | null) =>
    setParams(wanted ? { state: wanted } : {}, { replace: true });
  const certificates = (data ?? [])
    .filter((one) => !state || one.state === state)
    .sort(
      (a, b) =>
        states.indexOf(a.state) - states.indexOf(b.state) || a.subject.localeCompare(b.subject),
    );
  return (
    <>
      <p className={classes.intro}>{t('settings.certificates.intro')}</p>
      <fieldset className={ui.filters} aria-label={t('settings.certificates.filter')}>
        {[null, ...states].map((one) => (
          <button
            key={one ?? 'all'}
            type="button"
            className={ui.filter}
            aria-pressed={state === one}
            onClick={() => choose(one)}
          >
            {one ? t(`settings.certificates.state.${one}`) : t('settings.certificates.all')}{' '}
            <b>{data?.filter((certificate) => !one || certificate.state === one).length}</b>
          </button>
        ))}
      </fieldset>
      <Panel flush>
        {error && <ErrorMessage error={error} onRetry={() => void refetch()} />}
        {!data && !error && <Loading />}
        {data && certificates.length === 0 && (
          <EmptyState
            icon={<IconCertificate size={36} stroke={1.2} aria-hidden />}
            title={
              state ? t('settings.certificates.noneInState') : t('settings.certificates.empty')
            }
            text={state ? undefined : t('settings.certificates.emptyText')}
            action={
              state && (
                <Button variant="default" onClick={() => choose(null)}>
                  {t('settings.certificates.showAll')}
                </Button>
              )
            }
          />
        )}
        {certificates.length > 0 && <CertificatesTable certificates={certificates} />}
      </Panel>
    </>
  );
}
