import type { Schemas } from '@/shared/api';
import type { Sample } from '@/shared/data/functions';
import { isObject } from '@/shared/form';

interface Meta {
  time?: string;
  points?: Record<string, { quality?: Sample['quality']; code?: string }>;
}

const kMaxDepth = 3;

function leaves(value: unknown, name: string, depth: number, into: [string, unknown][]): void {
  if (isObject(value) && depth < kMaxDepth) {
    for (const [key, member] of Object.entries(value)) {
      leaves(member, name === '' ? key : `${name}.${key}`, depth + 1, into);
    }
  } else {
    into.push([name, value]);
  }
}

/**
 * Records as points: each member is one. Messages of a broker are named after their topic, so that many topics of one
 * subscription stand side by side.
 */
export function samplesOf(records: Schemas['Record'][]): Sample[] {
  const samples = new Map<string, Sample>();
  for (const record of records) {
    const meta = (isObject(record.$meta) ? record.$meta : {}) as Meta;
    const time = meta.time ?? new Date().toISOString();
    const found: [string, unknown][] = [];
    if (typeof record.topic === 'string' && 'payload' in record) {
      if (isObject(record.payload)) leaves(record.payload, record.topic, 0, found);
      else found.push([record.topic, record.payload]);
    } else {
      for (const [key, member] of Object.entries(record))
        if (key !== '$meta') leaves(member, key, 1, found);
    }
    for (const [point, value] of found) {
      const told = meta.points?.[point];
      samples.set(point, {
        point,
        value,
        quality: told?.quality ?? 'good',
        ...(told?.code ? { code: told.code } : {}),
        sourceTime: time,
        receiveTime: time,
      });
    }
  }
  return [...samples.values()];
}
