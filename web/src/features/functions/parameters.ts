/** What a caller typed for a parameter: JSON where it is JSON (a number, true, an object), else the text itself. */
export function parameterValue(text: string): unknown {
  const trimmed = text.trim();
  if (trimmed === '') return '';
  try {
    return JSON.parse(trimmed);
  } catch {
    return text;
  }
}
