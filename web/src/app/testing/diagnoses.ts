/** Answers of a staged test. */
export const refusedTest = {
  success: false,
  certificate: null,
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
export const passedTest = {
  success: true,
  certificate: null,
  stages: [{ stage: 'tcp', ok: true, durationMs: 3 }],
};

/** A server's certificate that nobody vouches for, as a saved connection `c1` met it. */
export const refusedCertificate = {
  id: 'ab'.repeat(32),
  state: 'rejected',
  subject: 'CN=mes.plant',
  issuer: 'CN=mes.plant',
  names: ['mes.plant', '192.0.2.10'],
  notBefore: '2026-01-01T00:00:00Z',
  notAfter: '2027-01-01T00:00:00Z',
  daysLeft: 40,
  sha256: 'AB:CD:EF',
  lastSeenAt: '2026-11-22T10:05:00Z',
  reason: { code: 'self_signed', message: 'Nobody vouches for it.' },
  decision: null,
  usedBy: [{ connectionId: 'c1', connectionName: 'Filler', role: 'server' }],
  pem: 'PEM',
};

/** The test of a draft that met it. */
export const untrustedTest = {
  success: false,
  certificate: {
    ...refusedCertificate,
    usedBy: [{ connectionId: null, connectionName: '192.0.2.10:502', role: 'draft' }],
  },
  stages: [
    { stage: 'tcp', ok: true, durationMs: 2 },
    {
      stage: 'tls',
      ok: false,
      durationMs: 5,
      error: {
        class: 'Trust',
        code: 'untrusted_certificate',
        message: 'The certificate of mes.plant is self-signed.',
        pointer: '/settings/host',
      },
    },
  ],
};
