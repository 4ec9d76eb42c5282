import { isObject, type JsonSchema } from '@/shared/form';

/** What a profile shows a server of ours. */
export interface Own {
  /** The hub's application certificate: the profile names none in its place. */
  application: boolean;
  /** Certificates stand in the settings. */
  given: boolean;
}

export function ownIn(schema: JsonSchema, settings: unknown): Own {
  const found: Own = { application: false, given: false };
  const values = isObject(settings) ? settings : {};
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const value = values[name];
    const kind = property['x-certificates'];
    if (kind === 'own' || kind === 'application') {
      if (value) found.given = true;
      else if (kind === 'application') found.application = true;
    }
    const below = ownIn(property, value);
    found.application ||= below.application;
    found.given ||= below.given;
  }
  return found;
}
