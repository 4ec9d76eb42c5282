// Run after `npm install` when the registry in use is a mirror of Linux packages only: npm then leaves the packages for other
// platforms out of the lock file, and a later `npm ci` refuses it as incomplete. They are named here without a digest; a
// platform that installs one takes it from its own registry.
import { readFileSync, writeFileSync } from 'node:fs';

const path = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8'));
const platform = /-(android|darwin|linux|win32)-(arm64|x64)(-musl)?$/;

for (const [owner, { dev, optionalDependencies = {} }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const key = `node_modules/${name}`;
    const [, os, cpu, musl] = name.match(platform) ?? [];
    if (lock.packages[key] || lock.packages[`${owner}/${key}`] || !os) continue;
    lock.packages[key] = {
      version,
      cpu: [cpu],
      ...(dev ? { dev: true } : {}),
      ...(musl ? { libc: ['musl'] } : {}),
      optional: true,
      os: [os],
    };
  }
}
const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1));
lock.packages = Object.fromEntries(sorted);
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
