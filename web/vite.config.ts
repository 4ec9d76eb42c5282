import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// `npm run dev` talks to a running hub (or to dev/mock-hub.mjs) through this proxy.
const hub = process.env.TRIBUTARY_HUB ?? 'http://127.0.0.1:8081';

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  server: {
    host: '127.0.0.1',
    proxy: { '/api': { target: hub, ws: true, secure: false, changeOrigin: true } },
  },
  build: {
    target: 'es2022',
    // The policy of the hub allows no inline data in scripts and styles; everything is a file of its own.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['src/shared/testing/setup.ts'],
    css: false,
    testTimeout: 60_000,
    reporters: process.env.CI ? ['default'] : ['dot'],
  },
});
