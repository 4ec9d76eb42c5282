import { Modal } from '@mantine/core';
import {
  IconArrowRight,
  IconBolt,
  IconFunction,
  IconHistory,
  IconPlugConnected,
  IconRoute,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, useDeferredValue, useEffect, useId, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { SuspendOne } from '@/features/connections/commands/SuspendOne';
import { api, ask, type Schemas } from '@/shared/api';
import { useConnections } from '@/shared/data/connections';
import { useEveryFunction } from '@/shared/data/functions';
import { useReturnFocus } from '@/shared/ui';
import { allEntries, type Entry, type Group, matching } from './entries';
import classes from './palette.module.css';
import { recentPages } from './recent';
import { useDeeds } from './use-deeds';

const icons: Record<Group, typeof IconBolt> = {
  recent: IconHistory,
  pages: IconArrowRight,
  connections: IconPlugConnected,
  functions: IconFunction,
  pipelines: IconRoute,
  actions: IconBolt,
};

/** What there is to go to. Functions and pipelines are asked for when the palette opens. */
function useEntries(pages: PaletteProps['pages']): Entry[] {
  const { t } = useTranslation();
  const { data: connections } = useConnections();
  const limit = { params: { query: { limit: 1000 } } };
  const { data: functions } = useEveryFunction();
  const { data: pipelines } = useQuery({
    queryKey: ['pipelines'],
    queryFn: async () => (await ask(api.GET('/pipelines', limit))).items,
  });
  return useMemo(
    () =>
      allEntries(
        {
          pages,
          connections: connections ?? [],
          functions: functions ?? [],
          pipelines: pipelines ?? [],
        },
        t,
      ),
    [pages, connections, functions, pipelines, t],
  );
}

interface OptionsProps {
  id: string;
  shown: Entry[];
  chosen: number;
  onChoose: (entry: Entry) => void;
  onPoint: (index: number) => void;
}

function Options({ id, shown, chosen, onChoose, onPoint }: OptionsProps) {
  const { t } = useTranslation();
  return (
    <div id={id} role="listbox" aria-label={t('palette.open')} className={classes.list}>
      {shown.map((entry, index) => {
        const Icon = icons[entry.group];
        const heads = shown[index - 1]?.group !== entry.group;
        return (
          <div key={entry.key} role="presentation">
            {heads && (
              <div className={classes.group} role="presentation">
                {t(`palette.${entry.group}`)}
              </div>
            )}
            <div
              id={`${id}-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === chosen}
              className={classes.option}
              onMouseMove={() => onPoint(index)}
              onClick={() => onChoose(entry)}
              // The keys are taken by the search field, which keeps the focus.
              onKeyDown={() => undefined}
            >
              <Icon size={16} aria-hidden />
              <span className={classes.label}>{entry.label}</span>
              {entry.note && <span className={classes.note}>{entry.note}</span>}
            </div>
          </div>
        );
      })}
    </div>
  );
}

/** The focus comes with the field, not a moment later as the dialog would give it: who pressed Ctrl-K is typing already. */
const takeFocus = (field: HTMLInputElement | null) => field?.focus({ preventScroll: true });

interface PaletteProps {
  pages: { to: string; label: string }[];
  onClose: () => void;
  onSignOut: () => void;
  onShortcuts: () => void;
}

/** Go anywhere and do what can be done, by typing: a combobox in a dialog. */
export default function Palette({ pages, onClose, onSignOut, onShortcuts }: PaletteProps) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const deeds = useDeeds();
  const id = useId();
  const [search, setSearch] = useState('');
  const [chosen, setChosen] = useState(0);
  const [suspending, setSuspending] = useState<Schemas['Connection'] | null>(null);
  const [recent] = useState(recentPages);
  const entries = useEntries(pages);
  useReturnFocus();
  const wanted = useDeferredValue(search);
  const shown = useMemo(() => matching(entries, wanted, recent), [entries, wanted, recent]);
  const at = Math.min(chosen, shown.length - 1);
  useEffect(() => {
    document.getElementById(`${id}-${at}`)?.scrollIntoView({ block: 'nearest' });
  }, [id, at]);

  const choose = ({ target }: Entry) => {
    if (!('to' in target) && target.do === 'suspend') {
      setSuspending(target.connection);
      return;
    }
    onClose();
    if ('to' in target) void navigate(target.to);
    else if ('connection' in target || 'pipeline' in target) void deeds(target);
    else if (target.do === 'signOut') onSignOut();
    else onShortcuts();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    const step = steps[event.key];
    if (step !== undefined && shown.length > 0) {
      event.preventDefault();
      const next = Math.abs(step) === 1 ? (at + step + shown.length) % shown.length : at + step;
      setChosen(Math.max(0, Math.min(shown.length - 1, next)));
    } else if (event.key === 'Enter' && !event.nativeEvent.isComposing) {
      // Who types fast is ahead of the list: what was typed counts, not what is shown yet.
      const entry = wanted === search ? shown[at] : matching(entries, search, recent)[0];
      if (!entry) return;
      event.preventDefault();
      choose(entry);
    }
  };
  if (suspending) return <SuspendOne connection={suspending} onClose={onClose} />;
  return (
    <Modal.Root
      opened
      onClose={onClose}
      padding={0}
      size="38rem"
      lockScroll={false}
      returnFocus={false}
      yOffset="12vh"
      transitionProps={{ duration: 0 }}
    >
      <Modal.Overlay />
      <Modal.Content aria-label={t('palette.open')}>
        <input
          ref={takeFocus}
          className={classes.search}
          role="combobox"
          aria-expanded
          aria-controls={id}
          aria-activedescendant={shown.length > 0 ? `${id}-${at}` : undefined}
          aria-label={t('palette.open')}
          placeholder={t('palette.placeholder')}
          autoComplete="off"
          spellCheck={false}
          data-autofocus
          value={search}
          onChange={(event) => {
            setSearch(event.currentTarget.value);
            setChosen(0);
          }}
          onKeyDown={onKeyDown}
        />
        <Options id={id} shown={shown} chosen={at} onChoose={choose} onPoint={setChosen} />
        <output className={shown.length === 0 ? classes.nothing : classes.silent}>
          {shown.length === 0 && t('palette.nothing', { search: wanted })}
        </output>
      </Modal.Content>
    </Modal.Root>
  );
}
