import { useSyncExternalStore } from 'react';
import { setConventions, type Times } from '@/shared/format';
import { i18n, isLanguage, kTimesChanged, type Language, speak } from '@/shared/i18n';

/** How this browser shows things. Light or dark is Mantine's to keep. */
export interface Preferences {
  language: Language;
  times: Times;
  /** `more`: text, lines and states as strong as can be; `auto`: as the system says. */
  contrast: 'auto' | 'normal' | 'more';
  /** Whether keys without a modifier do something; off for those who speak to their browser. */
  singleKeys: boolean;
}

// color-scheme.js reads the contrast before the first paint.
const kKey = 'tributary-preferences';
const kLocales: Record<Language, string> = { en: 'en-GB', de: 'de' };

const kMoreContrast = '(prefers-contrast: more)';
const systemWantsContrast = (): boolean => matchMedia(kMoreContrast).matches;

function stored(): Partial<Record<keyof Preferences, unknown>> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(kKey) ?? '{}');
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function initial(): Preferences {
  const { language, times, contrast, singleKeys } = stored();
  const tags = [language, ...navigator.languages].filter((tag) => typeof tag === 'string');
  return {
    language: tags.map((tag) => tag.slice(0, 2)).find(isLanguage) ?? 'en',
    times: times === 'local' || times === 'utc' ? times : 'relative',
    contrast: contrast === 'normal' || contrast === 'more' ? contrast : 'auto',
    singleKeys: singleKeys !== false,
  };
}

let current: Preferences | undefined;
const listeners = new Set<() => void>();

export function preferences(): Preferences {
  current ??= initial();
  return current;
}

async function apply({ language, times, contrast }: Preferences): Promise<void> {
  const root = document.documentElement;
  root.lang = language;
  const strong = contrast === 'more' || (contrast === 'auto' && systemWantsContrast());
  root.dataset.contrast = strong ? 'more' : 'normal';
  setConventions({ locale: kLocales[language], times });
  if (i18n.language !== language) await speak(language);
  else i18n.emit(kTimesChanged);
}

/** Makes the interface as it was left, before the first render; from then on it follows the system where nothing else was chosen. */
export function startPreferences(): Promise<void> {
  matchMedia(kMoreContrast).addEventListener('change', () => void apply(preferences()));
  return apply(preferences());
}

/** Changes some of it, now and for the next time. */
export async function prefer(change: Partial<Preferences>): Promise<void> {
  current = { ...preferences(), ...change };
  localStorage.setItem(kKey, JSON.stringify(current));
  for (const listener of listeners) listener();
  await apply(current);
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const usePreferences = (): Preferences => useSyncExternalStore(subscribe, preferences);
