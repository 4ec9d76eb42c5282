import { useCallback, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { SecretDraft, SecretState } from './context';
import { secretNames, shapeOf, withDefaults, withoutHidden, withoutSecrets } from './resolve';
import { isObject, type JsonObject, type JsonSchema } from './schema';
import { type FieldError, validate } from './validate';

export interface SchemaFormOptions {
  schema: JsonSchema;
  initial?: unknown;
  storedSecrets?: Record<string, SecretState>;
  placeholders?: boolean;
  /** Where the value stands in the document; `/settings` when absent. */
  area?: string;
}

export interface SchemaFormState {
  schema: JsonSchema;
  value: JsonObject;
  setValue: (value: unknown) => void;
  secrets: SecretDraft;
  storedSecrets: Record<string, SecretState>;
  setSecret: (name: string, value: string | null | undefined) => void;
  placeholders: boolean;
  /** Messages to show now, by pointer below the settings. */
  errors: ReadonlyMap<string, string>;
  /** Everything that is wrong, shown or not: for widgets with a way of their own to show it. */
  problems: ReadonlyMap<string, string>;
  secretErrors: ReadonlyMap<string, string>;
  touch: (pointer: string) => void;
  dirty: boolean;
  /** Shows everything that is wrong, or what is wrong with these members; true when nothing is. */
  check: (names?: readonly string[]) => boolean;
  /** Takes the `errors` of a 422 answer; gives back those that belong to no field of this form. */
  takeServerErrors: (errors: FieldError[]) => FieldError[];
  /** What to send: without members that are hidden. */
  result: () => JsonObject;
}

const kSecrets = '/secrets/';

/** The state of one schema form: draft, secrets, what is wrong and what of it is shown. */
export function useSchemaForm(options: SchemaFormOptions): SchemaFormState {
  const { t } = useTranslation();
  const { schema, placeholders = false, area = '/settings' } = options;
  const [value, setDraft] = useState<JsonObject>(() => {
    const filled = withDefaults(schema, options.initial ?? {});
    return isObject(filled) ? filled : {};
  });
  const [secrets, setSecrets] = useState<SecretDraft>({});
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
  const [showAll, setShowAll] = useState(false);
  const [dirty, setDirty] = useState(false);
  const [server, setServer] = useState<ReadonlyMap<string, string>>(new Map());

  const found = useMemo(
    () => validate(schema, value, t, { placeholders }),
    [schema, value, placeholders, t],
  );
  const missingSecrets = useMemo(() => {
    const { required } = shapeOf(schema, value, schema);
    return secretNames(schema).filter(
      (name) =>
        required.has(name) &&
        (secrets[name] === null ||
          (secrets[name] === undefined && !options.storedSecrets?.[name]?.set)),
    );
  }, [schema, value, secrets, options.storedSecrets]);

  const problems = useMemo(() => {
    const all = new Map<string, string>();
    for (const [pointer, message] of server) {
      if (!pointer.startsWith(kSecrets)) all.set(pointer, message);
    }
    for (const { pointer, message } of found) all.set(pointer, message);
    return all;
  }, [found, server]);
  const errors = useMemo(() => {
    if (showAll) return problems;
    const shown = new Map<string, string>();
    for (const [pointer, message] of problems) {
      if (touched.has(pointer) || server.has(pointer)) shown.set(pointer, message);
    }
    return shown;
  }, [problems, server, showAll, touched]);

  const secretErrors = useMemo(() => {
    const shown = new Map<string, string>();
    for (const [pointer, message] of server) {
      if (pointer.startsWith(kSecrets)) shown.set(pointer.slice(kSecrets.length), message);
    }
    for (const name of missingSecrets) {
      if (showAll || touched.has(kSecrets + name)) shown.set(name, t('form.error.required'));
    }
    return shown;
  }, [server, showAll, touched, missingSecrets, t]);

  const setValue = useCallback((next: unknown) => {
    setDraft(isObject(next) ? next : {});
    setServer(new Map());
    setDirty(true);
  }, []);
  const setSecret = useCallback((name: string, secret: string | null | undefined) => {
    setSecrets(({ [name]: _, ...others }) =>
      secret === undefined ? others : { ...others, [name]: secret },
    );
    setServer(new Map());
    setDirty(true);
  }, []);
  const touch = useCallback((pointer: string) => {
    setTouched((old) => (old.has(pointer) ? old : new Set(old).add(pointer)));
  }, []);
  const check = useCallback(
    (names?: readonly string[]) => {
      if (!names) {
        setShowAll(true);
        return found.length === 0 && missingSecrets.length === 0;
      }
      const wrong = [
        ...found
          .map((problem) => problem.pointer)
          .filter((pointer) => names.includes(pointer.split('/')[1] ?? '')),
        ...missingSecrets.filter((name) => names.includes(name)).map((name) => kSecrets + name),
      ];
      setTouched((old) => new Set([...old, ...wrong]));
      return wrong.length === 0;
    },
    [found, missingSecrets],
  );
  const takeServerErrors = useCallback(
    (told: FieldError[]) => {
      const mine = new Map<string, string>();
      const others: FieldError[] = [];
      for (const error of told) {
        if (error.pointer.startsWith(`${area}/`))
          mine.set(error.pointer.slice(area.length), error.message);
        else if (error.pointer.startsWith(kSecrets)) mine.set(error.pointer, error.message);
        else others.push(error);
      }
      setServer(mine);
      return others;
    },
    [area],
  );
  const result = useCallback(
    () => withoutHidden(withoutSecrets(schema), value) as JsonObject,
    [schema, value],
  );

  return {
    schema,
    value,
    setValue,
    secrets,
    storedSecrets: options.storedSecrets ?? {},
    setSecret,
    placeholders,
    errors,
    problems,
    secretErrors,
    touch,
    dirty,
    check,
    takeServerErrors,
    result,
  };
}
