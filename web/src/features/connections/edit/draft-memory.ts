import type { JsonObject } from '@/shared/form';

/** What one has typed into a form of a connection. Never a secret: those are typed again. */
export interface Draft {
  name: string;
  description: string;
  labels: Record<string, string>;
  autostart: boolean;
  settings: JsonObject;
}

const keyOf = (form: string): string => `connection-draft ${form}`;

/** The draft of this tab, so that a session that ends or a page that is loaded anew takes nothing away. */
export function recallDraft(form: string): Draft | null {
  const text = sessionStorage.getItem(keyOf(form));
  return text === null ? null : (JSON.parse(text) as Draft);
}

export const keepDraft = (form: string, draft: Draft): void =>
  sessionStorage.setItem(keyOf(form), JSON.stringify(draft));

export const forgetDraft = (form: string): void => sessionStorage.removeItem(keyOf(form));
