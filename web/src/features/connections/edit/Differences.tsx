import { useTranslation } from 'react-i18next';
import { ui } from '@/shared/ui';
import classes from '../connections.module.css';

export interface Difference {
  pointer: string;
  from?: unknown;
  to?: unknown;
}

function Value({ value }: { value: unknown }) {
  const { t } = useTranslation();
  if (value === undefined) return <em>{t('versions.nothing')}</em>;
  return <code>{typeof value === 'string' ? value : JSON.stringify(value)}</code>;
}

/** What was before, struck out, and what is now, setting by setting. */
export function Differences({ differences }: { differences: readonly Difference[] }) {
  return (
    <ul className={classes.hits}>
      {differences.map(({ pointer, from, to }) => (
        <li key={pointer}>
          <span className={ui.mono}>{pointer}</span>:{' '}
          <del>
            <Value value={from} />
          </del>{' '}
          <ins>
            <Value value={to} />
          </ins>
        </li>
      ))}
    </ul>
  );
}
