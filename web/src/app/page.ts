import { type ComponentType, lazy } from 'react';
import { kTextsOf, loadTexts } from '@/shared/i18n';

type Feature = keyof typeof kTextsOf;
type Module<Properties> = Promise<{ default: ComponentType<Properties> }>;

/** A module with the texts of its feature: never is a key seen in place of a text. */
export async function withTexts<Properties>(
  feature: Feature,
  loading: Module<Properties>,
): Module<Properties> {
  const [module] = await Promise.all([loading, loadTexts(kTextsOf[feature])]);
  return module;
}

/** What is loaded when it is first shown. */
export const page = <Properties>(feature: Feature, load: () => Module<Properties>) =>
  lazy(() => withTexts(feature, load()));
