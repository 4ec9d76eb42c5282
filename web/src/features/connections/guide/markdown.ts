/** The Markdown that guides are written in: what they use, and nothing that could carry a script. */
export type Inline =
  | { kind: 'text' | 'code' | 'strong' | 'em'; text: string }
  | { kind: 'link'; text: string; href: string };

export type Block =
  | { kind: 'heading'; level: number; text: string }
  | { kind: 'paragraph'; text: string }
  | { kind: 'code'; text: string }
  | {
      kind: 'list';
      items: string[] /** Of the first item; null where there are no numbers. */;
      start: number | null;
    }
  | { kind: 'table'; head: string[]; rows: string[][] };

export interface Section {
  title: string;
  blocks: Block[];
}

const kFence = /^(\s*)```/;
const kHeading = /^(#{1,6})\s+(.*)$/;
const kItem = /^\s*(?:[-*]|(\d+)\.)\s+(.*)$/;
const kTableLine = /^\|.*\|\s*$/;
const kTableRule = /^\|[\s:|-]+\|\s*$/;

/** Cells between bars; a bar in code or after a backslash belongs to the cell. */
function cellsOf(line: string): string[] {
  const cells: string[] = [];
  let cell = '';
  let code = false;
  for (let i = 1; i < line.trimEnd().length; i++) {
    const char = line[i] ?? '';
    if (char === '\\' && line[i + 1] === '|') {
      cell += '|';
      i += 1;
    } else if (char === '|' && !code) {
      cells.push(cell.trim());
      cell = '';
    } else {
      if (char === '`') code = !code;
      cell += char;
    }
  }
  return cells;
}

const startsBlock = (line: string): boolean =>
  line.trim() === '' ||
  kFence.test(line) ||
  kHeading.test(line) ||
  kItem.test(line) ||
  kTableLine.test(line);

/** Reads blocks from top to bottom, one line or a run of lines at a time. */
class Reader {
  readonly #lines: string[];
  #at = 0;

  constructor(text: string) {
    this.#lines = text.replace(/<!--[\s\S]*?-->/g, '').split(/\r?\n/);
  }

  blocks(): Block[] {
    const found: Block[] = [];
    while (this.#at < this.#lines.length) {
      const block = this.#next();
      if (block) found.push(block);
    }
    return found;
  }

  #take = (): string => this.#lines[this.#at++] ?? '';
  #peek = (): string => this.#lines[this.#at] ?? '';

  #run(goesOn: (line: string) => boolean): string[] {
    const lines: string[] = [];
    while (this.#at < this.#lines.length && goesOn(this.#peek())) lines.push(this.#take());
    return lines;
  }

  #next(): Block | null {
    const line = this.#take();
    if (line.trim() === '') return null;
    const fence = line.match(kFence);
    if (fence) {
      // Within a list the code stands as far in as its fence.
      const indent = new RegExp(`^\\s{0,${fence[1]?.length ?? 0}}`);
      const code = this.#run((one) => !kFence.test(one)).map((one) => one.replace(indent, ''));
      this.#take();
      return { kind: 'code', text: code.join('\n') };
    }
    const heading = line.match(kHeading);
    if (heading) return { kind: 'heading', level: heading[1]?.length ?? 1, text: heading[2] ?? '' };
    if (kTableLine.test(line) && kTableRule.test(this.#peek())) {
      this.#take();
      const rows = this.#run((one) => kTableLine.test(one)).map(cellsOf);
      return { kind: 'table', head: cellsOf(line), rows };
    }
    const item = line.match(kItem);
    if (item) return this.#list(item[1] === undefined ? null : Number(item[1]), item[2] ?? '');
    const text = [line, ...this.#run((one) => !startsBlock(one))].join(' ');
    return { kind: 'paragraph', text };
  }

  #list(start: number | null, first: string): Block {
    const items = [first];
    for (;;) {
      const line = this.#peek();
      const item = line.match(kItem);
      if (item) items.push(item[2] ?? '');
      else if (/^\s+\S/.test(line) && !kFence.test(line))
        items.push(`${items.pop()} ${line.trim()}`);
      else return { kind: 'list', start, items };
      this.#take();
    }
  }
}

export const blocksOf = (text: string): Block[] => new Reader(text).blocks();

/** A guide by its second-level headings; what stands before the first of them is its introduction, without a title. */
export function sectionsOf(text: string): Section[] {
  const sections: Section[] = [{ title: '', blocks: [] }];
  for (const block of blocksOf(text)) {
    if (block.kind === 'heading' && block.level === 1) continue;
    if (block.kind === 'heading' && block.level === 2)
      sections.push({ title: block.text, blocks: [] });
    else sections.at(-1)?.blocks.push(block);
  }
  return sections.filter((section) => section.title !== '' || section.blocks.length > 0);
}

const kInline = /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^)\s]+)\)|\*([^*\s][^*]*)\*/g;

/** Code, emphasis and links. Only addresses of the web become links: others point into the repository. */
export function inlinesOf(text: string): Inline[] {
  const found: Inline[] = [];
  let from = 0;
  const add = (kind: 'text' | 'code' | 'strong' | 'em', part: string) =>
    part !== '' && found.push({ kind, text: part });
  for (const match of text.matchAll(kInline)) {
    add('text', text.slice(from, match.index));
    from = match.index + match[0].length;
    const [, code, strong, label, href = '', em] = match;
    if (code !== undefined) add('code', code);
    else if (strong !== undefined) add('strong', strong);
    else if (em !== undefined) add('em', em);
    else if (/^https?:\/\//.test(href)) found.push({ kind: 'link', text: label ?? '', href });
    else add('text', label ?? '');
  }
  add('text', text.slice(from));
  return found;
}
