/** Puts the cursor into the field a problem points at; with no such field, into the first one below it. */
export function focusField(pointer: string): boolean {
  const [, area = '', below = pointer] = /^(\/settings|\/reconnect)(.*)$/.exec(pointer) ?? [];
  const within = document.querySelector(`[data-area="${area}"]`) ?? document;
  const exact = within.querySelector(`[data-pointer="${CSS.escape(below)}"]`);
  const place = exact ?? within.querySelector(`[data-pointer^="${CSS.escape(below)}/"]`);
  const input = place?.matches('input, select, textarea')
    ? place
    : place?.querySelector('input, select, textarea, button');
  place?.closest('details')?.setAttribute('open', '');
  if (!(input instanceof HTMLElement)) return false;
  input.scrollIntoView({ block: 'center' });
  input.focus();
  return true;
}

/** Puts the cursor into the first field that is marked as wrong, once it is. */
export function focusFirstProblem(): void {
  requestAnimationFrame(() => {
    document.querySelector<HTMLElement>('form [aria-invalid="true"]')?.focus();
  });
}
