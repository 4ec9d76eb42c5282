import type { Translated } from '..';
import { connections } from './connections';
import { data } from './data';
import { form } from './form';
import { functions } from './functions';
import { health } from './health';
import { pipelines } from './pipelines';
import { settings } from './settings';
import { shell } from './shell';
import { welcome } from './welcome';

/** German. What is missing is shown in English. */
export const de: Translated = {
  ...shell,
  ...form,
  ...connections,
  ...data,
  ...functions,
  ...health,
  ...pipelines,
  ...settings,
  ...welcome,
};
