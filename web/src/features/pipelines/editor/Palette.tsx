import { TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { categoryOf, categoryOrder, nodeTypes } from '../graph/catalog';
import { iconOf } from '../graph/icons';
import { dragType } from '../graph/view';
import classes from './editor.module.css';

/** Every node type, to be clicked (it goes behind the selected node) or dragged onto the canvas. */
export function Palette({ onAdd }: { onAdd: (type: string) => void }) {
  const { t } = useTranslation();
  const [search, setSearch] = useState('');
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = nodeTypes.filter(({ type, schema }) => {
    const text = `${type} ${schema.title ?? ''} ${schema.description ?? ''}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  return (
    <aside className={classes.palette} aria-label={t('graph.palette')}>
      <TextInput
        size="xs"
        aria-label={t('graph.paletteSearch')}
        placeholder={t('graph.paletteSearch')}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      {categoryOrder.map((category) => {
        const shelf = found.filter((one) => categoryOf(one) === category);
        if (shelf.length === 0) return null;
        return (
          <section key={category} aria-label={t(`graph.category.${category}`)}>
            <h2 className={classes.shelf}>{t(`graph.category.${category}`)}</h2>
            {shelf.map(({ type, schema }) => {
              const Icon = iconOf(type);
              const name = schema.title ?? type;
              return (
                <button
                  key={type}
                  type="button"
                  draggable
                  className={classes.paletteNode}
                  title={schema.description}
                  aria-label={t('graph.addNode', { name })}
                  onClick={() => onAdd(type)}
                  onDragStart={(event) => event.dataTransfer.setData(dragType, type)}
                >
                  <Icon size={16} aria-hidden />
                  {name}
                </button>
              );
            })}
          </section>
        );
      })}
    </aside>
  );
}
