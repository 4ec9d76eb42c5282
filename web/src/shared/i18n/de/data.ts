import type { Translated } from '..';
import type { data as en } from '../en/data';

export const data: Translated<typeof en> = {
  quality: {
    label: 'Qualität',
    good: 'Gut',
    uncertain: 'Unsicher',
    bad: 'Schlecht',
    stale: 'Veraltet',
    explainStale: 'Keine Nachricht vom Hub: Das ist der letzte Wert, den er gesendet hat.',
  },
};
