import { Checkbox } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { Connection } from '@/shared/data/connections';
import { StatusBadge } from '@/shared/status';
import { Lasting, ui } from '@/shared/ui';
import { addressOf } from '../address';
import { EnvironmentBadge } from '../environment';
import { Labels } from '../Labels';
import { useStateSentence } from '../state-sentence';
import classes from './list.module.css';

interface ConnectionRowProps {
  connection: Connection;
  /** Its place in the whole list, of which only a part is drawn. */
  index: number;
  chosen: boolean;
  onChoose: (chosen: boolean) => void;
}

export function ConnectionRow({ connection, index, chosen, onChoose }: ConnectionRowProps) {
  const { t } = useTranslation();
  const sentence = useStateSentence()(connection.state);
  return (
    <tr className={classes.row} aria-rowindex={index + 2} data-chosen={chosen || undefined}>
      <td className={classes.pick}>
        <Checkbox
          size="xs"
          aria-label={t('connections.choose', { name: connection.name })}
          checked={chosen}
          onChange={(event) => onChoose(event.currentTarget.checked)}
        />
      </td>
      <td>
        <StatusBadge status={connection.state.status} />
      </td>
      <td>
        <div className={classes.name}>
          <Link to={`/connections/${connection.id}`} className={classes.link}>
            {connection.name}
          </Link>
          <EnvironmentBadge labels={connection.labels} />
        </div>
        <div className={classes.sub}>{connection.description}</div>
        <div className={classes.subNote}>{sentence}</div>
      </td>
      <td className={`${ui.mono} ${classes.wide}`}>{connection.type}</td>
      <td className={`${ui.mono} ${classes.cut} ${classes.wide}`}>{addressOf(connection)}</td>
      <td className={classes.wide} title={sentence}>
        <div className={classes.note}>{sentence}</div>
      </td>
      <td className={classes.widest}>
        <Labels labels={connection.labels} />
      </td>
      <td data-number className={`${ui.nowrap} ${classes.since}`}>
        <Lasting since={connection.state.since} />
      </td>
    </tr>
  );
}
