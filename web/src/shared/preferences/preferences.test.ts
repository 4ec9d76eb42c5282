import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  formatClock,
  formatCount,
  formatMoment,
  formatPercent,
  formatSpan,
  formatValue,
} from '@/shared/format';
import { i18n } from '@/shared/i18n';
import { prefer } from '.';

const at = '2026-11-22T10:00:00.123Z';

/** The module as a browser that was just opened has it. */
async function fresh() {
  vi.resetModules();
  return import('.');
}

beforeEach(() => localStorage.clear());
afterEach(async () => {
  await prefer({ language: 'en', times: 'relative', contrast: 'normal' });
  localStorage.clear();
});

describe('preferences', () => {
  it('are kept for the next time', async () => {
    await prefer({ language: 'de', times: 'utc', contrast: 'more' });
    const { preferences } = await fresh();
    expect(preferences()).toMatchObject({ language: 'de', times: 'utc', contrast: 'more' });
  });

  it('follow the browser where nothing was chosen, and English where it speaks another language', async () => {
    const languages = vi.spyOn(navigator, 'languages', 'get');
    languages.mockReturnValue(['de-AT', 'en']);
    expect((await fresh()).preferences().language).toBe('de');
    languages.mockReturnValue(['fr', 'tr']);
    expect((await fresh()).preferences().language).toBe('en');
    languages.mockRestore();
  });

  it('survive what somebody else wrote in their place', async () => {
    localStorage.setItem('tributary-preferences', '{"language":"xx","times":7,"contrast":null');
    expect((await fresh()).preferences()).toMatchObject({ times: 'relative', contrast: 'auto' });
    localStorage.setItem('tributary-preferences', '[1]');
    expect((await fresh()).preferences()).toMatchObject({ times: 'relative', contrast: 'auto' });
  });

  it('mark the page with language and contrast', async () => {
    await prefer({ language: 'de', contrast: 'more' });
    expect(document.documentElement.lang).toBe('de');
    expect(document.documentElement.dataset.contrast).toBe('more');
  });
});

describe('numbers and dates', () => {
  it('are written as the language writes them', async () => {
    await prefer({ language: 'de', times: 'utc' });
    expect(i18n.t('common.cancel')).toBe('Abbrechen');
    expect(formatValue(1234.5)).toBe('1\u202f234,5');
    expect(formatCount(56_789)).toBe('56\u202f789');
    expect(formatPercent(99.5)).toBe('99,500 %');
    expect(formatSpan(1500, i18n.t)).toBe('1,5 s');
    expect(formatMoment(at)).toBe('22. Nov. 2026, 10:00:00 UTC');
    expect(formatClock(at)).toBe('10:00:00,123 UTC');
  });

  it('say UTC when they are', async () => {
    await prefer({ language: 'en', times: 'utc' });
    expect(formatMoment(at)).toBe('22 Nov 2026, 10:00:00 UTC');
    await prefer({ times: 'local' });
    expect(formatMoment(at)).not.toContain('UTC');
  });
});
