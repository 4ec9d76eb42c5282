// Plain scalars stay plain only where YAML cannot take them for something else; all other texts are quoted as JSON, which is YAML.
const kPlain = /^[A-Za-z_][\w ./-]*$/;
const kWord = /^(true|false|null|yes|no|on|off|y|n)$/i;

function scalar(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return kPlain.test(value) && !kWord.test(value) && !value.endsWith(' ')
    ? value
    : JSON.stringify(value);
}

const isEmpty = (value: object): boolean =>
  (Array.isArray(value) ? value : Object.keys(value)).length === 0;

function lines(value: unknown, indent: string): string[] {
  if (Array.isArray(value))
    return value.flatMap((one) => {
      const [first = '', ...rest] = block(one, `${indent}  `);
      return [`${indent}- ${first.trimStart()}`, ...rest];
    });
  return Object.entries(value as object).flatMap(([key, member]) => {
    const name = `${indent}${scalar(key)}:`;
    if (typeof member !== 'object' || member === null || isEmpty(member))
      return [`${name} ${block(member, '')[0]}`];
    return [name, ...block(member, `${indent}  `)];
  });
}

function block(value: unknown, indent: string): string[] {
  if (typeof value !== 'object' || value === null) return [`${indent}${scalar(value)}`];
  if (isEmpty(value)) return [`${indent}${Array.isArray(value) ? '[]' : '{}'}`];
  return lines(value, indent);
}

/** A JSON value as YAML. Members that are undefined are left out, as JSON does. */
export const toYaml = (value: unknown): string =>
  `${block(JSON.parse(JSON.stringify(value)), '').join('\n')}\n`;
