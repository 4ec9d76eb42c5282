import type { Status } from '@/shared/data/connections';

export type Action =
  | 'start'
  | 'stop'
  | 'restart'
  | 'connectNow'
  | 'suspend'
  | 'resume'
  | 'resumeAndStart';

const allowed: Record<Status, Action[]> = {
  Idle: ['start'],
  Connecting: ['stop', 'restart', 'suspend'],
  Connected: ['stop', 'restart', 'suspend'],
  Disconnected: ['connectNow', 'stop', 'suspend'],
  Reconnecting: ['stop', 'restart', 'suspend'],
  Failed: ['connectNow', 'stop', 'suspend'],
  Suspended: ['resumeAndStart', 'resume'],
};

/** What an operator may do in a status (lifecycle, section 2); the first is the most likely one. */
export const actionsIn = (status: Status): Action[] => allowed[status];
