import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { blocksOf, inlinesOf, sectionsOf } from './markdown';

describe('the Markdown of guides', () => {
  it('has headings, paragraphs, lists, code and tables', () => {
    const text = `# Title

Two lines
of one paragraph.

- first
  goes on
- second

1. one

\`\`\`
# no heading
\`\`\`

| a | b |
|---|---|
| \`x|y\` | c \\| d |
`;
    expect(blocksOf(text)).toEqual([
      { kind: 'heading', level: 1, text: 'Title' },
      { kind: 'paragraph', text: 'Two lines of one paragraph.' },
      { kind: 'list', start: null, items: ['first goes on', 'second'] },
      { kind: 'list', start: 1, items: ['one'] },
      { kind: 'code', text: '# no heading' },
      { kind: 'table', head: ['a', 'b'], rows: [['`x|y`', 'c | d']] },
    ]);
  });

  it('keeps code within a list as code, and goes on counting after it', () => {
    const text = '1. Do this:\n\n   ```json\n   { "a":\n     1 }\n   ```\n\n2. Then that.\n';
    expect(blocksOf(text)).toEqual([
      { kind: 'list', start: 1, items: ['Do this:'] },
      { kind: 'code', text: '{ "a":\n  1 }' },
      { kind: 'list', start: 2, items: ['Then that.'] },
    ]);
  });

  it('makes links of addresses of the web only, and elements of nothing', () => {
    expect(inlinesOf('see [a](javascript:alert(1)) [b](https://example.org) <img src=x>')).toEqual([
      { kind: 'text', text: 'see ' },
      { kind: 'text', text: 'a' },
      { kind: 'text', text: ') ' },
      { kind: 'link', text: 'b', href: 'https://example.org' },
      { kind: 'text', text: ' <img src=x>' },
    ]);
    expect(inlinesOf('`a*b*` **c** d')).toEqual([
      { kind: 'code', text: 'a*b*' },
      { kind: 'text', text: ' ' },
      { kind: 'strong', text: 'c' },
      { kind: 'text', text: ' d' },
    ]);
  });
});

const connectors = join(import.meta.dirname, '../../../../../connectors');
const guides = readdirSync(connectors).filter((name) =>
  existsSync(join(connectors, name, 'guide.md')),
);

describe.each(guides)('the guide of %s', (name) => {
  it('is read to the end: sections with content, and no mark of Markdown left in its text', () => {
    const sections = sectionsOf(readFileSync(join(connectors, name, 'guide.md'), 'utf8'));
    expect(sections.length).toBeGreaterThan(3);
    for (const { title, blocks } of sections) {
      expect(blocks.length, title).toBeGreaterThan(0);
      const texts = blocks.flatMap((block) =>
        block.kind === 'paragraph' || block.kind === 'heading'
          ? [block.text]
          : block.kind === 'list'
            ? block.items
            : block.kind === 'table'
              ? block.rows.flat()
              : [],
      );
      const plain = texts.flatMap(inlinesOf).filter((part) => part.kind === 'text');
      for (const { text } of plain) expect(text, title).not.toMatch(/```|\]\(|<!--|^\|/);
    }
  });
});
