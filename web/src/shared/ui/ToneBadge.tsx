import type { ComponentType, ReactNode } from 'react';
import classes from './tone.module.css';

export type Tone = 'neutral' | 'info' | 'good' | 'warn' | 'alert' | 'bad' | 'hold';

export type Icon = ComponentType<{
  size?: number | string;
  className?: string;
  'aria-hidden'?: boolean;
}>;

interface ToneBadgeProps {
  tone: Tone;
  icon: Icon;
  children: ReactNode;
  /** Without the coloured ground: for cells of dense tables. */
  plain?: boolean;
  large?: boolean;
  turning?: boolean;
  title?: string;
}

/** A state: always an icon and a word, and a colour besides. */
export function ToneBadge({
  tone,
  icon: Icon,
  children,
  plain,
  large,
  turning,
  title,
}: ToneBadgeProps) {
  const shape = plain ? classes.plain : `${classes.badge} ${large ? classes.large : ''}`;
  return (
    <span className={shape} data-tone={tone} title={title}>
      <Icon size={large ? 18 : 14} aria-hidden className={turning ? classes.turning : undefined} />
      {children}
    </span>
  );
}
