// Writes src/shared/theme/variables.css: the CSS variables that the theme changes.
import { writeFile } from 'node:fs/promises';
import { createServer } from 'vite';

const root = new URL('..', import.meta.url).pathname;
const server = await createServer({
  root,
  configFile: false,
  logLevel: 'error',
  appType: 'custom',
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
});
try {
  const { themeCss } = await server.ssrLoadModule('/src/shared/theme/theme-css.ts');
  const path = `${root}src/shared/theme/variables.css`;
  await writeFile(path, themeCss());
} finally {
  await server.close();
}
