import { ActionIcon, Button, Checkbox, Tooltip } from '@mantine/core';
import {
  IconArrowBackUp,
  IconArrowForwardUp,
  IconFlask,
  IconLayoutDistributeHorizontal,
  IconPlayerTrackNext,
  IconSettings,
  IconX,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { formatSpan } from '@/shared/format';
import type { Icon } from '@/shared/ui';
import { type View, ViewChoice } from '../graph/GraphView';
import { nameOf, nodeOf, type PipelineDocument } from '../graph/model';
import classes from './editor.module.css';
import type { useTest } from './use-test';

function Tool({
  label,
  icon: Icon,
  disabled,
  onClick,
}: {
  label: string;
  icon: Icon;
  disabled?: boolean;
  onClick: () => void;
}) {
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant="default"
        size="md"
        aria-label={label}
        disabled={disabled ?? false}
        onClick={onClick}
      >
        <Icon size={16} />
      </ActionIcon>
    </Tooltip>
  );
}

function TestState({ doc, test }: { doc: PipelineDocument; test: ReturnType<typeof useTest> }) {
  const { t } = useTranslation();
  const { result } = test.samples;
  if (!result) return null;
  const to = test.until ? nodeOf(doc, test.until) : undefined;
  return (
    <output className={classes.testState} data-failed={!result.success}>
      {result.success
        ? to
          ? t('editor.testing', { name: nameOf(to) })
          : t('editor.tested', { span: formatSpan(result.durationMs, t) })
        : t('editor.testFailed')}
      {result.timedOut && ` ${t('editor.timedOut')}`}
    </output>
  );
}

interface ToolbarProps {
  doc: PipelineDocument;
  view: View;
  onView: (view: View) => void;
  undo: (() => void) | null;
  redo: (() => void) | null;
  onArrange: () => void;
  onSettings: () => void;
  test: ReturnType<typeof useTest>;
  state: ReactNode;
}

/** Everything one does to the graph as a whole. */
export function Toolbar(props: ToolbarProps) {
  const { t } = useTranslation();
  const { doc, view, onView, undo, redo, onArrange, onSettings, test, state } = props;
  const empty = doc.nodes.length === 0;
  return (
    <div className={classes.toolbar} role="toolbar" aria-label={t('common.actions')}>
      <Tool
        label={t('editor.undo')}
        icon={IconArrowBackUp}
        disabled={!undo}
        onClick={() => undo?.()}
      />
      <Tool
        label={t('editor.redo')}
        icon={IconArrowForwardUp}
        disabled={!redo}
        onClick={() => redo?.()}
      />
      <Tool
        label={t('editor.arrange')}
        icon={IconLayoutDistributeHorizontal}
        disabled={empty}
        onClick={onArrange}
      />
      <Tool label={t('editor.settingsTitle')} icon={IconSettings} onClick={onSettings} />
      <ViewChoice view={view} onChoose={onView} />
      <Button
        size="xs"
        variant="light"
        leftSection={<IconFlask size={14} />}
        disabled={empty}
        loading={test.running}
        title={t('editor.stubbed')}
        onClick={test.all}
      >
        {t('editor.test')}
      </Button>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconPlayerTrackNext size={14} />}
        disabled={empty || test.running}
        title={t('editor.stepHelp')}
        onClick={test.step}
      >
        {t('editor.step')}
      </Button>
      {test.samples.result && (
        <Tool label={t('editor.stopTest')} icon={IconX} onClick={test.clear} />
      )}
      <Checkbox
        size="xs"
        label={t('editor.call')}
        checked={test.call}
        onChange={(event) => test.setCall(event.currentTarget.checked)}
      />
      {test.call && <span className={classes.warning}>{t('editor.callWarning')}</span>}
      <TestState doc={doc} test={test} />
      <span className={classes.spacer} />
      {state}
    </div>
  );
}
