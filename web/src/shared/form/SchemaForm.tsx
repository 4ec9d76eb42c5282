import { type FormContextValue, FormProvider, type WidgetFor } from './context';
import { Members } from './fields/Members';
import classes from './SchemaForm.module.css';
import type { JsonSchema } from './schema';
import type { SchemaFormState } from './use-schema-form';

interface SchemaFormProps {
  form: SchemaFormState;
  idPrefix: string;
  autoFocus?: boolean;
  /** Only these members of the settings; a wizard asks for them step by step. */
  names?: readonly string[] | undefined;
  /** Widgets of the page, for what only it knows how to edit. */
  widgetFor?: WidgetFor;
}

function groupsOf(schema: JsonSchema, names: readonly string[] | undefined) {
  const groups = schema['x-groups'] ?? [];
  const known = new Set(groups.map((group) => group.id));
  const first = groups[0]?.id;
  const groupOf = (property: JsonSchema) => {
    const id = property['x-group'];
    return id && known.has(id) ? id : first;
  };
  const used = new Set(
    Object.entries(schema.properties ?? {})
      .filter(([name]) => !names || names.includes(name))
      .map(([, property]) => groupOf(property)),
  );
  return { groups: groups.filter((group) => used.has(group.id)), groupOf };
}

/** The form of a connector's settings, made from nothing but their schema. */
export function SchemaForm({ form, idPrefix, autoFocus, names, widgetFor }: SchemaFormProps) {
  const { schema } = form;
  const context: FormContextValue = {
    root: schema,
    widgetFor,
    errors: form.errors,
    problems: form.problems,
    placeholders: form.placeholders,
    idPrefix,
    touch: form.touch,
    secrets: form.secrets,
    storedSecrets: form.storedSecrets,
    secretErrors: form.secretErrors,
    setSecret: form.setSecret,
  };
  const { groups, groupOf } = groupsOf(schema, names);
  const asked = (name: string) => !names || names.includes(name);
  const members = (group?: string, focus?: boolean) => (
    <Members
      schema={schema}
      pointer=""
      value={form.value}
      onChange={form.setValue}
      only={(property, name) => asked(name) && (group === undefined || groupOf(property) === group)}
      autoFocus={focus}
    />
  );
  if (groups.length < 2)
    return <FormProvider value={context}>{members(undefined, autoFocus)}</FormProvider>;

  const hasError = (id: string) =>
    [...form.errors.keys()].some((pointer) => {
      const property = schema.properties?.[pointer.split('/')[1] ?? ''];
      return property && groupOf(property) === id;
    });
  return (
    <FormProvider value={context}>
      <div className={classes.groups}>
        {groups.map((group, index) => {
          return group.collapsed ? (
            <details
              key={group.id}
              className={classes.group}
              open={hasError(group.id) || undefined}
            >
              <summary className={classes.groupTitle}>{group.title}</summary>
              {members(group.id)}
            </details>
          ) : (
            <section key={group.id} className={classes.group} aria-label={group.title}>
              <h3 className={classes.groupTitle}>{group.title}</h3>
              {members(group.id, autoFocus && index === 0)}
            </section>
          );
        })}
      </div>
    </FormProvider>
  );
}
