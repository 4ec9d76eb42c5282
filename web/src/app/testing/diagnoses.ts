/** Answers of a staged test. */
export const refusedTest = {
  success: false,
  stages: [
    { stage: 'resolve', ok: true, durationMs: 1 },
    {
      stage: 'tcp',
      ok: false,
      durationMs: 2000,
      error: {
        class: 'Transient',
        code: 'cannot_connect',
        message: 'nothing answers',
        hint: 'Is it on?',
        pointer: '/settings/host',
      },
    },
  ],
};
export const passedTest = { success: true, stages: [{ stage: 'tcp', ok: true, durationMs: 3 }] };
