import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { formatMoment } from '@/shared/format';
import { en } from './en';

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
  resources: { en: { translation: en } },
  interpolation: { escapeValue: false },
  react: { bindI18n: `languageChanged ${kTimesChanged}` },
  initAsync: false,
});

i18n.services.formatter?.add('moment', (value: Date) => formatMoment(value.getTime()));

/** From now on in `language`, whose texts are loaded when they are first needed. */
export async function speak(language: Language): Promise<void> {
  if (language === 'de' && !i18n.hasResourceBundle('de', 'translation')) {
    const { de } = await import('./de');
    i18n.addResourceBundle('de', 'translation', de);
  }
  await i18n.changeLanguage(language);
}
