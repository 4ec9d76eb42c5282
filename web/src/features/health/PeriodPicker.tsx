import { ActionIcon, Button, Popover, SegmentedControl, TextInput } from '@mantine/core';
import { IconChevronLeft, IconChevronRight, IconZoomIn, IconZoomOut } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { hubNow } from '@/shared/data/clock';
import classes from './health.module.css';
import { type Bounds, isPreset, moved, type Preset, presets, zoomed } from './period';
import type { ChosenPeriod } from './use-period';

/** What an input of the type datetime-local takes: the viewer's own wall clock. */
function localText(at: number): string {
  const shifted = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 19);
}

function RangeForm({ bounds, onChoose }: { bounds: Bounds; onChoose: (bounds: Bounds) => void }) {
  const { t } = useTranslation();
  const [from, setFrom] = useState(localText(bounds.from));
  const [to, setTo] = useState(localText(bounds.to));
  const chosen = { from: new Date(from).getTime(), to: new Date(to).getTime() };
  const valid = chosen.from < chosen.to;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (valid) onChoose(chosen);
  };
  return (
    <form className={classes.column} onSubmit={submit}>
      <TextInput
        type="datetime-local"
        step={1}
        size="xs"
        label={t('health.from')}
        value={from}
        onChange={(event) => setFrom(event.currentTarget.value)}
      />
      <TextInput
        type="datetime-local"
        step={1}
        size="xs"
        label={t('health.to')}
        value={to}
        error={!valid && t('health.rangeWrong')}
        onChange={(event) => setTo(event.currentTarget.value)}
      />
      <Button type="submit" size="xs" disabled={!valid}>
        {t('health.show')}
      </Button>
    </form>
  );
}

/** One of the usual periods, any other by its ends, and steps to the sides and closer. */
export function PeriodPicker({ period, bounds, choose, zoom }: ChosenPeriod) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const steps = [
    ['earlier', IconChevronLeft, () => moved(bounds, -0.5, hubNow())],
    ['later', IconChevronRight, () => moved(bounds, 0.5, hubNow())],
    ['closer', IconZoomIn, () => zoomed(bounds, 0.5, 0.5, hubNow())],
    ['farther', IconZoomOut, () => zoomed(bounds, 2, 0.5, hubNow())],
  ] as const;
  return (
    <div className={classes.controls}>
      <SegmentedControl
        size="xs"
        aria-label={t('health.rangeLabel')}
        value={'last' in period ? period.last : ''}
        onChange={(next) => isPreset(next) && choose({ last: next })}
        data={(Object.keys(presets) as Preset[]).map((name) => ({
          value: name,
          label: t(`health.range.${name}`),
        }))}
      />
      <Popover opened={open} onChange={setOpen} trapFocus returnFocus withinPortal={false}>
        <Popover.Target>
          <Button
            size="xs"
            variant={'last' in period ? 'default' : 'light'}
            onClick={() => setOpen(!open)}
          >
            {t('health.anyRange')}
          </Button>
        </Popover.Target>
        <Popover.Dropdown aria-label={t('health.anyRange')}>
          {open && (
            <RangeForm
              bounds={bounds}
              onChoose={(chosen) => {
                setOpen(false);
                choose(chosen);
              }}
            />
          )}
        </Popover.Dropdown>
      </Popover>
      <span className={classes.steps}>
        {steps.map(([name, Icon, step]) => (
          <ActionIcon
            key={name}
            variant="default"
            size={30}
            aria-label={t(`health.${name}`)}
            title={t(`health.${name}`)}
            onClick={() => zoom(step())}
          >
            <Icon size={16} />
          </ActionIcon>
        ))}
      </span>
    </div>
  );
}
