import { isObject } from '@/shared/form';

export interface Completion {
  label: string;
  /** What is inserted, where it is not the label. */
  apply?: string;
  detail?: string;
}

export interface CompletionScope {
  /** A record as the node sees it. */
  input: unknown;
  /** The nodes before, with a record that each gave. */
  nodes: { id: string; name: string; output: unknown }[];
  /** A script: JavaScript everywhere, not only between {{ and }}. */
  script: boolean;
}

const names: [name: string, detail: string][] = [
  ['$input', 'record'],
  ['$item', 'record'],
  ['$trigger', 'record'],
  ['$node', 'node'],
  ['$index', 'number'],
  ['$run', 'run'],
  ['$pipeline', 'pipeline'],
  ['$now', 'time'],
  ['$env', 'hub'],
  ['$fn', 'helpers'],
  ['$quality', 'quality'],
];

// docs/pipelines/scripts.md, Helpers.
const helpers: Record<string, string[]> = {
  date: ['format', 'parse', 'shift', 'startOf', 'parts'],
  units: ['convert', 'list'],
  hash: ['sha256', 'sha512', 'hmacSha256', 'hmacSha512', 'crc32', 'crc16modbus'],
  base64: ['encode', 'encodeUrl', 'decode', 'decodeBytes'],
  hex: ['encode', 'decode', 'decodeBytes'],
  jmespath: [],
};

const fixed: Record<string, string[]> = {
  $run: ['id', 'trigger', 'startedAt'],
  $pipeline: ['id', 'name', 'version'],
};

const insideBraces = (before: string): boolean =>
  before.lastIndexOf('{{') > before.lastIndexOf('}}');

function walk(value: unknown, path: string[]): unknown {
  let here = value;
  for (const step of path) here = isObject(here) ? here[step] : undefined;
  return here;
}

const short = (value: unknown): string => {
  const text = JSON.stringify(value) ?? '';
  return text.length > 24 ? `${text.slice(0, 23)}…` : text;
};

const plain = /^[A-Za-z_$][\w$]*$/;

const membersOf = (value: unknown): Completion[] =>
  isObject(value)
    ? Object.entries(value)
        .filter(([name]) => plain.test(name))
        .map(([name, member]) => ({ label: name, detail: short(member) }))
    : [];

/** What may stand at the end of `before`, and where it begins; null where nothing is known. */
export function complete(
  before: string,
  scope: CompletionScope,
): { from: number; options: Completion[] } | null {
  if (!scope.script && !insideBraces(before)) return null;
  const node = before.match(/\$node\s*[([]\s*["']([\w-]*)$/);
  if (node) {
    const options = scope.nodes.map(({ id, name }) => ({ label: id, detail: name }));
    return { from: before.length - (node[1] ?? '').length, options };
  }
  const path = before.match(
    /(\$\w+)((?:\s*[([]\s*["'][\w-]+["']\s*[)\]])?)((?:\.[\w$]+)*)\.([\w$]*)$/,
  );
  if (path) {
    const [, root = '', call = '', steps = '', typed = ''] = path;
    const walked = steps.split('.').filter(Boolean);
    const from = before.length - typed.length;
    let options: Completion[] = [];
    if (root === '$fn' && walked.length === 0)
      options = Object.keys(helpers).map((label) => ({ label }));
    else if (root === '$fn' && walked.length === 1)
      options = (helpers[walked[0] ?? ''] ?? []).map((label) => ({ label, apply: `${label}(` }));
    else if (root === '$node') {
      const id = call.match(/["']([\w-]+)["']/)?.[1];
      options = membersOf(walk(scope.nodes.find((one) => one.id === id)?.output, walked));
    } else if (fixed[root] && walked.length === 0)
      options = fixed[root].map((label) => ({ label }));
    else if (root === '$input' || root === '$item' || root === '$trigger')
      options = membersOf(walk(scope.input, walked));
    return options.length > 0 ? { from, options } : null;
  }
  const name = before.match(/\$\w*$/);
  if (!name) return null;
  return {
    from: before.length - name[0].length,
    options: names.map(([label, detail]) => ({
      label,
      detail,
      ...(label === '$node' ? { apply: '$node("' } : {}),
    })),
  };
}
