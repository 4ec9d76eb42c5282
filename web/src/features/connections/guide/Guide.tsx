import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { TableScroll, ui } from '@/shared/ui';
import classes from './guide.module.css';
import { type Block, inlinesOf, sectionsOf } from './markdown';

function Text({ text }: { text: string }) {
  return inlinesOf(text).map((part, index) => {
    const key = `${index} ${part.kind}`;
    switch (part.kind) {
      case 'code':
        return <code key={key}>{part.text}</code>;
      case 'strong':
        return <strong key={key}>{part.text}</strong>;
      case 'em':
        return <em key={key}>{part.text}</em>;
      case 'link':
        return (
          <a key={key} href={part.href} target="_blank" rel="noreferrer noopener">
            {part.text}
          </a>
        );
      default:
        return part.text;
    }
  });
}

function BlockView({ block }: { block: Block }) {
  switch (block.kind) {
    case 'heading':
      return (
        <h4 className={classes.heading}>
          <Text text={block.text} />
        </h4>
      );
    case 'code':
      return (
        // Wide lines scroll, also by keyboard.
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable
        <pre className={ui.code} tabIndex={0}>
          {block.text}
        </pre>
      );
    case 'list': {
      const items = block.items.map((item) => (
        <li key={item}>
          <Text text={item} />
        </li>
      ));
      return block.start === null ? <ul>{items}</ul> : <ol start={block.start}>{items}</ol>;
    }
    case 'table':
      return (
        <TableScroll>
          <table className={ui.table}>
            <thead>
              <tr>
                {block.head.map((cell) => (
                  <th key={cell} scope="col">
                    <Text text={cell} />
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {block.rows.map((row) => (
                <tr key={row.join('|')}>
                  {row.map((cell, index) => (
                    <td key={`${block.head[index]} ${cell}`}>
                      <Text text={cell} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </TableScroll>
      );
    default:
      return (
        <p>
          <Text text={block.text} />
        </p>
      );
  }
}

/** A connector's guide, section by section; the first one with steps is open. */
export default function Guide({ text }: { text: string }) {
  const { t } = useTranslation();
  const sections = useMemo(() => sectionsOf(text), [text]);
  if (sections.length === 0) return <p>{t('guide.none')}</p>;
  return (
    <div className={classes.guide}>
      {sections.map(({ title, blocks }, place) => {
        const body = blocks.map((block, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a guide does not change while it is shown
          <BlockView key={index} block={block} />
        ));
        return title === '' ? (
          <div key="intro">{body}</div>
        ) : (
          <details key={title} open={place === 1}>
            <summary>
              <Text text={title} />
            </summary>
            {body}
          </details>
        );
      })}
    </div>
  );
}
