import '@testing-library/jest-dom/vitest';
import { cleanup, configure } from '@testing-library/react';
import { afterEach, vi } from 'vitest';
import { kParts, loadTexts } from '@/shared/i18n';

afterEach(cleanup);

// Parts of pages are rendered by themselves, without the page that would load their texts.
await loadTexts(kParts);

// Patient, because a loaded machine is slow, and brief: the page's whole markup says little about what is missing.
configure({
  asyncUtilTimeout: 15_000,
  getElementError: (message) => new Error(message?.split('\n')[0] ?? 'not found'),
});

// happy-dom draws nothing and lays nothing out; what asks for it gets the quiet answer.
vi.stubGlobal(
  'ResizeObserver',
  class {
    observe() {}
    unobserve() {}
    disconnect() {}
  },
);
Element.prototype.scrollIntoView = () => {};
Object.defineProperty(document, 'fonts', { value: new EventTarget() });
// Long lists draw as many rows as their frame is high.
Object.defineProperty(HTMLElement.prototype, 'clientHeight', { configurable: true, value: 600 });
