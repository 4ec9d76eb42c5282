import '@/shared/theme';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from '@/app/App';
import { startPreferences } from '@/shared/preferences';

const root = document.getElementById('root');
if (root) {
  const show = () =>
    createRoot(root).render(
      <StrictMode>
        <App />
      </StrictMode>,
    );
  // Without its texts a language is English; that is better than nothing at all.
  startPreferences().then(show, show);
}
