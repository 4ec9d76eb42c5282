import { createTheme, type MantineColorsTuple } from '@mantine/core';

// River blue-green: the brand, links and buttons. Status colours are kept apart in shared/status.
const river: MantineColorsTuple = [
  '#e9f6fa',
  '#d3e9f0',
  '#a5d2e1',
  '#73bad1',
  '#4ba6c4',
  '#3099bc',
  '#1c86a8',
  '#0f6f8f',
  '#0c5a74',
  '#07475d',
];

const slate: MantineColorsTuple = [
  '#f7f8fa',
  '#eff2f5',
  '#e3e7ec',
  '#d3d9e0',
  '#bcc5cf',
  '#93a0ae',
  '#66737f',
  '#4a5662',
  '#333d47',
  '#1d252d',
];

const night: MantineColorsTuple = [
  '#dbe2e8',
  '#b8c3cd',
  '#98a5b1',
  '#6c7a87',
  '#3c4854',
  '#2d3843',
  '#222b34',
  '#1a2229',
  '#141a20',
  '#0e1318',
];

// Darker than Mantine's where it carries white text: a button that deletes.
const red: MantineColorsTuple = [
  '#fff5f5',
  '#ffe3e3',
  '#ffc9c9',
  '#ffa8a8',
  '#ff8787',
  '#f05a5a',
  '#e03131',
  '#c92a2a',
  '#b02222',
  '#941b1b',
];

// Locking the page behind a dialog would need an inline style element.
const dialog = {
  defaultProps: { lockScroll: false },
  styles: { title: { fontWeight: 600 } },
};

/**
 * The look of the whole interface. Its CSS variables are not made in the browser but written to variables.css by
 * `npm run theme`, because the hub's content security policy allows no inline style elements.
 */
export const theme = createTheme({
  primaryColor: 'river',
  primaryShade: 7,
  colors: { river, red, gray: slate, dark: night },
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace:
    'ui-monospace, "Cascadia Mono", "SFMono-Regular", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  defaultRadius: 'sm',
  radius: { xs: '0.1875rem', sm: '0.3125rem', md: '0.5rem', lg: '0.75rem', xl: '1.25rem' },
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.125rem' },
  spacing: { xs: '0.5rem', sm: '0.75rem', md: '1rem', lg: '1.25rem', xl: '1.75rem' },
  headings: { fontWeight: '600' },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Modal: dialog,
    // Its first entry has the focus; the placeholder for it has no place in a menu.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
    Button: { defaultProps: { size: 'sm' } },
    Table: { defaultProps: { verticalSpacing: 6, horizontalSpacing: 'sm', fz: 'sm' } },
    Tooltip: { defaultProps: { openDelay: 250, withArrow: true, fz: 'xs' } },
  },
});
