import { ActionIcon, Button, Menu } from '@mantine/core';
import {
  IconBolt,
  IconDots,
  IconPencil,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerStop,
  IconRefresh,
  IconTrash,
} from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { type Command, type Connection, useConnectionCommand } from '@/shared/data/connections';
import { notifyDone, notifyFailed, useErrorText, useKeepFocus } from '@/shared/ui';
import classes from '../connections.module.css';
import { type Action, actionsIn } from './allowed';
import { DeleteDialog } from './DeleteDialog';
import { SuspendOne } from './SuspendOne';

const icons = {
  start: IconPlayerPlay,
  stop: IconPlayerStop,
  restart: IconRefresh,
  connectNow: IconBolt,
  suspend: IconPlayerPause,
  resume: IconPlayerPlay,
  resumeAndStart: IconPlayerPlay,
};

function commandOf(action: Exclude<Action, 'suspend'>): Command {
  switch (action) {
    case 'connectNow':
      return { command: 'restart' };
    case 'resume':
      return { command: 'resume', start: false };
    case 'resumeAndStart':
      return { command: 'resume', start: true };
    default:
      return { command: action };
  }
}

/** The buttons of a connection: exactly what its status allows. */
export function ConnectionActions({ connection }: { connection: Connection }) {
  const { t } = useTranslation();
  const errorText = useErrorText();
  const command = useConnectionCommand(connection.id);
  const [dialog, setDialog] = useState<'suspend' | 'delete' | null>(null);
  const close = () => setDialog(null);
  const group = useKeepFocus<HTMLDivElement>();
  const run = (body: Command) =>
    command.mutate(body, {
      onSuccess: () => notifyDone(t(`connection.done.${body.command}`, { name: connection.name })),
      onError: (error) => notifyFailed(t('error.failed'), errorText(error).message),
    });
  const actions = actionsIn(connection.state.status);
  return (
    <div className={classes.actions} {...group}>
      {actions.map((action, index) => {
        const Icon = icons[action];
        const strong = index === 0 && action !== 'stop';
        return (
          <Button
            key={action}
            variant={strong ? 'filled' : 'default'}
            leftSection={<Icon size={16} />}
            loading={
              command.isPending &&
              action !== 'suspend' &&
              command.variables?.command === commandOf(action).command
            }
            disabled={command.isPending}
            onClick={() => (action === 'suspend' ? setDialog('suspend') : run(commandOf(action)))}
          >
            {t(`connection.${action}`)}
          </Button>
        );
      })}
      <Button
        variant="default"
        component={Link}
        to={`/connections/${connection.id}/settings`}
        leftSection={<IconPencil size={16} />}
      >
        {t('connection.edit')}
      </Button>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label={t('connection.more')}>
            <IconDots size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            color="var(--tone-bad)"
            leftSection={<IconTrash size={16} />}
            onClick={() => setDialog('delete')}
          >
            {t('connection.delete')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {dialog === 'suspend' && <SuspendOne connection={connection} onClose={close} />}
      {dialog === 'delete' && <DeleteDialog connection={connection} onClose={close} />}
    </div>
  );
}
