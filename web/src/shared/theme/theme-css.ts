import {
  DEFAULT_THEME,
  defaultCssVariablesResolver,
  type MantineTheme,
  mergeMantineTheme,
} from '@mantine/core';
import { theme } from './theme';

type Variables = Record<string, string>;

function changed(after: Variables, before: Variables): string {
  return Object.entries(after)
    .filter(([name, value]) => before[name] !== value)
    .map(([name, value]) => `  ${name}: ${value};\n`)
    .join('');
}

/** The CSS variables in which our theme differs from Mantine's default style sheet. */
export function themeCss(): string {
  const ours: MantineTheme = mergeMantineTheme(DEFAULT_THEME, theme);
  const after = defaultCssVariablesResolver(ours);
  const before = defaultCssVariablesResolver(DEFAULT_THEME);
  return [
    '/* Made by `npm run theme` from theme.ts. Do not edit. */\n',
    `:root {\n${changed(after.variables, before.variables)}}\n`,
    `:root[data-mantine-color-scheme="light"] {\n${changed(after.light, before.light)}}\n`,
    `:root[data-mantine-color-scheme="dark"] {\n${changed(after.dark, before.dark)}}\n`,
  ].join('\n');
}
