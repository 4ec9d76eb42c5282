// Writes src/features/auth/demo-plant.json from demo/plant.yaml, so that the first steps make the same demo as `tributary apply`.
// A unit test fails when the file is not what this would write.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// The generator of the API client brings a reader of YAML; the interface itself needs none.
const yaml = createRequire(import.meta.resolve('@redocly/openapi-core'))('js-yaml');
const source = join(import.meta.dirname, '../../demo/plant.yaml');
const target = join(import.meta.dirname, '../src/features/auth/demo-plant.json');

export const demoPlant = () => yaml.load(readFileSync(source, 'utf8'));
export const print = (demo) => `${JSON.stringify(demo, null, 1)}\n`;

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(target, print(demoPlant()));
