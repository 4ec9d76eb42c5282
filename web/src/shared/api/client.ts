import createClient, { type Middleware } from 'openapi-fetch';
import type { FieldError } from '@/shared/form';
import type { components, paths } from './schema';
import { sendInSession } from './session';

export type Schemas = components['schemas'];
export type Problem = Schemas['Problem'];

/** An answer that is not a success, or no answer at all (`status` 0, code `unreachable`). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string | undefined;
  readonly correlationId: string | undefined;
  readonly fields: FieldError[];

  constructor(status: number, problem: Partial<Problem>) {
    super(problem.detail ?? problem.title ?? '');
    this.name = 'ApiError';
    this.status = status;
    this.code = problem.code ?? 'unexpected_answer';
    this.hint = problem.hint;
    this.correlationId = problem.correlationId;
    this.fields = problem.errors ?? [];
  }
}

// Cookies alone prove nothing about who sent a request; this header cannot be sent by another site.
const csrf: Middleware = {
  onRequest({ request }) {
    request.headers.set('X-Requested-With', 'tributary');
    return request;
  },
};

/** The client generated from contracts/openapi.yaml. Use it through `ask`. */
export const api = createClient<paths>({
  baseUrl: new URL('/api/v1', globalThis.location?.href ?? 'http://localhost').href,
  credentials: 'same-origin',
  // Looked up at each call, so that tests can put their own in place.
  fetch: (request) => sendInSession(request, (one) => globalThis.fetch(one)),
});
api.use(csrf);

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The data of an answer; throws ApiError for anything else. */
export async function ask<T>(pending: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await pending;
  } catch {
    throw new ApiError(0, { code: 'unreachable' });
  }
  const { data, error, response } = answer;
  if (!response.ok) {
    const problem = typeof error === 'object' && error !== null ? (error as Problem) : {};
    throw new ApiError(response.status, { title: response.statusText, ...problem });
  }
  return data as T;
}
