import { Button, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { ApiError } from '@/shared/api';
import { type Connection, connectionKeys, useConnections } from '@/shared/data/connections';
import { StatusBadge } from '@/shared/status';
import { CopyButton, ErrorMessage, Loading, Page, Panel, ui } from '@/shared/ui';
import classes from './auth.module.css';
import { demo, makeDemo, variablesOf } from './demo';

const kShown = 5;
const kStart = 'tributary simulate plant';

/** Where the simulated plant is; everything else the demo knows. */
function DemoForm() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [values, setValues] = useState(() => variablesOf(demo));
  const make = useMutation({
    mutationFn: () => makeDemo(values),
    onSuccess: ({ id }) => navigate(`/connections/${id}/values`),
    onSettled: () => client.invalidateQueries({ queryKey: connectionKeys.all }),
  });
  const refused = (name: string) =>
    make.error instanceof ApiError
      ? make.error.fields.find(({ pointer }) => pointer === `/settings/${name}`)?.message
      : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <form className={classes.form} onSubmit={submit}>
      <div>
        {t('welcome.demoStart')}
        <div className={classes.command}>
          <code className={ui.mono}>{kStart}</code>
          <CopyButton text={() => kStart} />
        </div>
      </div>
      <div className={classes.fields}>
        {Object.entries(values).map(([name, value], place) => (
          <TextInput
            key={name}
            size="xs"
            label={name === 'host' ? t('welcome.demoHost') : t('welcome.demoPort')}
            autoFocus={place === 0}
            required
            withAsterisk={false}
            value={value}
            error={refused(name)}
            onChange={(event) => setValues({ ...values, [name]: event.currentTarget.value })}
          />
        ))}
      </div>
      {make.error && <ErrorMessage error={make.error} />}
      <Button type="submit" loading={make.isPending}>
        {t('welcome.demoConnect')}
      </Button>
    </form>
  );
}

function DemoPlant({ connections }: { connections: readonly Connection[] }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const taken = demo.connections.find(({ name }) => connections.some((one) => one.name === name));
  const count = demo.connections.reduce((sum, one) => sum + one.functions.length, 0);
  return (
    <Panel title={t('welcome.demo')}>
      <p className={classes.text}>{t('welcome.demoText', { count })}</p>
      {taken && <p className={classes.text}>{t('welcome.demoTaken', { name: taken.name })}</p>}
      {!taken && !open && <Button onClick={() => setOpen(true)}>{t('welcome.demo')}</Button>}
      {!taken && open && <DemoForm />}
    </Panel>
  );
}

/** After the first start: what one can look at, the demo plant, or a connection of one's own. */
export default function WelcomePage() {
  const { t } = useTranslation();
  const { data, error, refetch } = useConnections();
  if (error && !data) return <ErrorMessage error={error} onRetry={() => void refetch()} />;
  if (!data) return <Loading />;
  return (
    <Page
      narrow
      title={t('welcome.title')}
      actions={
        <Button component={Link} to="/connections" variant="default">
          {t('welcome.skip')}
        </Button>
      }
    >
      {data.length > 0 && (
        <Panel title={t('welcome.ready')}>
          <p className={classes.text}>{t('welcome.readyText')}</p>
          <ul className={classes.ready}>
            {data.slice(0, kShown).map(({ id, name, state }) => (
              <li key={id}>
                <Link to={`/connections/${id}/values`}>{name}</Link>
                <StatusBadge plain status={state.status} />
              </li>
            ))}
          </ul>
        </Panel>
      )}
      <div className={classes.ways}>
        <DemoPlant connections={data} />
        <Panel title={t('welcome.own')}>
          <p className={classes.text}>{t('welcome.ownText')}</p>
          <Button component={Link} to="/connections/new" variant="default">
            {t('common.addConnection')}
          </Button>
        </Panel>
      </div>
    </Page>
  );
}
