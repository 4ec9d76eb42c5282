import { connections } from './connections';
import { data } from './data';
import { form } from './form';
import { shell } from './shell';

export const en = { ...shell, ...form, ...connections, ...data };
