import { IconEqual, IconMinus, IconPencil, IconPlus } from '@tabler/icons-react';
import type { Icon, Tone } from '@/shared/ui';
import type { Outcome } from './rows';

/** How each outcome of an import looks: never by colour alone. */
export const looks: Record<Outcome, { tone: Tone; icon: Icon }> = {
  create: { tone: 'good', icon: IconPlus },
  update: { tone: 'info', icon: IconPencil },
  unchanged: { tone: 'neutral', icon: IconEqual },
  remove: { tone: 'warn', icon: IconMinus },
};
