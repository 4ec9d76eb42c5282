import { ui } from '@/shared/ui';
import classes from './connections.module.css';
import { kEnvironmentLabel } from './environment';

export const labelText = (key: string, value: string): string =>
  value === '' ? key : `${key}: ${value}`;

/** The labels of a connection, without the one that has a badge of its own. */
export function Labels({ labels }: { labels: Record<string, string> }) {
  return (
    <span className={classes.labels}>
      {Object.entries(labels)
        .filter(([key]) => key !== kEnvironmentLabel)
        .map(([key, value]) => (
          <span key={key} className={ui.label}>
            {labelText(key, value)}
          </span>
        ))}
    </span>
  );
}
