/** Finds the unit of a point by its name. */
export type UnitOf = (name: string) => string;

const kRange = /\[\d+\.\.\d+(?:\.\.\d+)?\]|\{\d+\.\.\d+(?:\.\.\d+)?\}/g;

/** What a name of the settings stands for: one with a range (`Motor[1..40].Speed`) for many points. */
function matcherOf(name: string): RegExp {
  let pattern = '';
  let end = 0;
  for (const range of name.matchAll(kRange)) {
    pattern += escapePattern(name.slice(end, range.index));
    pattern += range[0].startsWith('[') ? '\\[\\d+\\]' : '\\d+';
    end = range.index + range[0].length;
  }
  return new RegExp(`^${pattern}${escapePattern(name.slice(end))}$`);
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** The units that a function's settings give its points. */
export function unitsOf(settings: Record<string, unknown>): UnitOf {
  const points = Array.isArray(settings.points) ? settings.points : [];
  const units: { matcher: RegExp; unit: string }[] = [];
  for (const point of points as Record<string, unknown>[]) {
    if (typeof point?.name !== 'string' || typeof point.unit !== 'string') continue;
    units.push({ matcher: matcherOf(point.name), unit: point.unit });
  }
  return (name) => units.find(({ matcher }) => matcher.test(name))?.unit ?? '';
}
