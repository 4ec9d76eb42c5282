import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { formatMoment } from '@/shared/format';
import type { en } from './en';
import { data } from './en/data';
import { form } from './en/form';
import { shell } from './en/shell';

export type Texts = typeof en;

/** What another language may have: texts of the English one, and no others. */
export type Translated<T = Texts> = {
  [K in keyof T]?: T[K] extends string ? string : Translated<T[K]>;
};

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'translation';
    resources: { translation: Texts };
  }
}

/** Each in its own words, so that one finds the way back. */
export const languages = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof languages;

export const isLanguage = (tag: string): tag is Language => Object.hasOwn(languages, tag);

/** Told to everything that shows texts when times are told in another way. */
export const kTimesChanged = 'timesChanged';

export const i18n = i18next.createInstance();

void i18n.use(initReactI18next).init({
  lng: 'en',
  fallbackLng: 'en',
  resources: { en: { translation: { ...shell, ...form, ...data } } },
  interpolation: { escapeValue: false },
  react: { bindI18n: `languageChanged ${kTimesChanged}` },
  initAsync: false,
});

i18n.services.formatter?.add('moment', (value: Date) => formatMoment(value.getTime()));

/** Texts of what is shown first. They come with the interface in English, and with a language when it is chosen. */
const kFirst = ['shell', 'form', 'data'] as const;
/** Texts of the pages: each file is loaded when the first page that needs it is. */
export const kParts = [
  'connections',
  'functions',
  'health',
  'pipelines',
  'settings',
  'welcome',
] as const;
export type Part = (typeof kParts)[number];

/** What a feature's pages show besides the first texts. A house rule holds the features to it. */
export const kTextsOf = {
  auth: ['welcome'],
  connections: ['connections', 'functions'],
  functions: ['connections', 'functions'],
  health: ['health'],
  palette: ['connections', 'pipelines'],
  pipelines: ['pipelines'],
  settings: ['settings'],
  values: ['connections'],
} as const satisfies Record<string, readonly Part[]>;

const files = import.meta.glob<Record<string, object>>([
  './*/*.ts',
  '!./*/index.ts',
  '!./en/{shell,form,data}.ts',
]);

let spoken: Language = 'en';
const needed = new Set<Part>();
const there = new Set<string>();

async function load(language: Language, name: string): Promise<void> {
  const key = `${language}/${name}`;
  if (there.has(key)) return;
  const file = await files[`./${key}.ts`]?.();
  i18n.addResourceBundle(language, 'translation', file?.[name], true);
  there.add(key);
}

/** The texts of `parts` in the language that is spoken, and from now on in every other one that is chosen. */
export async function loadTexts(parts: readonly Part[]): Promise<void> {
  for (const part of parts) needed.add(part);
  await Promise.all(parts.map((part) => load(spoken, part)));
}

/** From now on in `language`, once everything is there that is on the screen. */
export async function speak(language: Language): Promise<void> {
  const missing = () =>
    [...(language === 'en' ? [] : kFirst), ...needed].filter(
      (name) => !there.has(`${language}/${name}`),
    );
  // A page that is opened meanwhile adds to what is needed.
  for (let names = missing(); names.length > 0; names = missing())
    await Promise.all(names.map((name) => load(language, name)));
  spoken = language;
  await i18n.changeLanguage(language);
}
