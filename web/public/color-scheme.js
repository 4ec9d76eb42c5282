// Runs before the first paint so that a dark screen never flashes white. A file of its own, because the
// content security policy allows no inline script.
(() => {
  const { dataset } = document.documentElement;
  const asked = (query) => matchMedia(query).matches;
  const stored = localStorage.getItem('mantine-color-scheme-value');
  const dark = stored === 'dark' || (stored !== 'light' && asked('(prefers-color-scheme: dark)'));
  dataset.mantineColorScheme = dark ? 'dark' : 'light';
  const contrast = /"contrast":"(\w+)"/.exec(localStorage.getItem('tributary-preferences') ?? '');
  const strong = contrast?.[1] ?? (asked('(prefers-contrast: more)') ? 'more' : 'normal');
  dataset.contrast = strong === 'auto' && asked('(prefers-contrast: more)') ? 'more' : strong;
})();
