import type { Diagnosis } from '@/shared/data/connections';

/** What was tested. */
export interface Tested {
  type: string;
  /** Without secrets, which are never part of the settings. */
  settings: unknown;
}

/** A diagnosis as one passes it on: in words for a mail, and whole for whoever has to look closer. */
export function diagnosisText(diagnosis: Diagnosis, about: Tested, at: Date): string {
  const lines = diagnosis.stages.map(
    ({ stage, ok, durationMs, error }) =>
      `${ok ? 'ok    ' : 'FAILED'} ${stage} ${durationMs.toFixed(1)} ms${
        error ? `: ${error.message} [${error.code}]` : ''
      }`,
  );
  return [
    `${about.type}, ${at.toISOString()}`,
    ...lines,
    '',
    JSON.stringify({ ...about, diagnosis }, null, 2),
  ].join('\n');
}
