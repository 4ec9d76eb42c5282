import { act, screen, waitFor } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

/** What is shown where a text belongs. */
const shown = () => document.body.textContent ?? '';

/** The interface as a browser loads it: without what the set-up of the tests has loaded before. */
async function fresh() {
  vi.resetModules();
  const [{ startApp }, texts] = await Promise.all([
    import('./testing/start-app'),
    import('@/shared/i18n'),
  ]);
  return { app: startApp(), ...texts };
}

describe('the texts of a page', () => {
  beforeEach(() => localStorage.clear());
  afterEach(() => vi.resetModules());

  it('are not loaded before a page needs them', async () => {
    const { i18n } = await fresh();
    expect(i18n.exists('nav.health')).toBe(true);
    expect(i18n.exists('health.title')).toBe(false);
  });

  it('are there when the page is first seen', async () => {
    const { app, i18n } = await fresh();
    const seen = new Set<string>();
    const watch = new MutationObserver(() => {
      for (const key of shown().match(/\b(connections|bulk|gallery)\.[a-zA-Z]+/g) ?? [])
        seen.add(key);
    });
    watch.observe(document.body, { subtree: true, childList: true, characterData: true });
    await app.openLive('/connections');
    expect(await screen.findByRole('heading', { name: 'Connections' })).toBeInTheDocument();
    watch.disconnect();
    expect([...seen]).toEqual([]);
    expect(i18n.exists('connections.title')).toBe(true);
    expect(i18n.exists('health.title')).toBe(false);
  });

  it('come in the language that is spoken, also those that were loaded before it was chosen', async () => {
    const { i18n, loadTexts, speak } = await fresh();
    await loadTexts(['health']);
    await act(() => speak('de'));
    const german = i18n.t('health.title');
    await loadTexts(['settings']);
    expect(i18n.getResource('de', 'translation', 'health.title')).toBe(german);
    expect(i18n.getResource('de', 'translation', 'settings.title')).toBeTypeOf('string');
    expect(i18n.getResource('en', 'translation', 'settings.title')).toBeUndefined();
    expect(i18n.getResource('de', 'translation', 'nav.pipelines')).toBeTypeOf('string');
  });

  it('are waited for by a language, when a page is opened while it is being loaded', async () => {
    const { i18n, loadTexts, speak } = await fresh();
    const speaking = speak('de');
    await loadTexts(['pipelines']);
    await act(() => speaking);
    await waitFor(() => expect(i18n.language).toBe('de'));
    expect(i18n.getResource('de', 'translation', 'pipelines.title')).toBeTypeOf('string');
  });
});
