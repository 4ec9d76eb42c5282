import { connections } from './connections';
import { data } from './data';
import { form } from './form';
import { functions } from './functions';
import { health } from './health';
import { pipelines } from './pipelines';
import { settings } from './settings';
import { shell } from './shell';
import { welcome } from './welcome';

export const en = {
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
