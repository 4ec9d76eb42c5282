import { useFormContext } from '../context';
import { isShown, shapeOf, withDefaults } from '../resolve';
import classes from '../SchemaForm.module.css';
import { child, isObject, type JsonObject, type JsonSchema } from '../schema';
import { Field, isWide } from './Field';

interface MembersProps {
  schema: JsonSchema;
  pointer: string;
  value: unknown;
  onChange: (value: unknown) => void;
  /** Only these members. */
  only?: (property: JsonSchema, name: string) => boolean;
  autoFocus?: boolean;
}

/** The members of an object schema, in order, in a grid. */
export function Members({ schema, pointer, value, onChange, only, autoFocus }: MembersProps) {
  const { root } = useFormContext();
  const object = isObject(value) ? value : {};
  const shape = shapeOf(schema, object, root);
  // A member that is left to its default counts as having it.
  const filled = withDefaults(schema, object, root) as JsonObject;
  const shown = shape.properties.filter(
    ([name, property]) => isShown(property, filled) && (!only || only(property, name)),
  );
  return (
    <div className={classes.grid}>
      {shown.map(([name, property], index) => (
        <div key={name} className={isWide(property) ? classes.wide : undefined}>
          <Field
            name={name}
            pointer={child(pointer, name)}
            schema={property}
            value={object[name]}
            required={shape.required.has(name)}
            autoFocus={autoFocus && index === 0}
            onChange={(next) => {
              const { [name]: _, ...others } = object;
              onChange(next === undefined ? others : { ...object, [name]: next });
            }}
          />
        </div>
      ))}
    </div>
  );
}
