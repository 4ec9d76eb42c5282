import { Button } from '@mantine/core';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/shared/api';
import type { Connection, Connector } from '@/shared/data/connections';
import { type JsonSchema, SchemaForm } from '@/shared/form';
import { ErrorMessage, Message, Panel } from '@/shared/ui';
import { useLeaveGuard } from '@/shared/ui/use-leave-guard';
import { addressOf } from '../address';
import classes from '../connections.module.css';
import { DraftDiagnosis } from '../diagnosis/DraftDiagnosis';
import { GuidePanel } from '../guide/GuidePanel';
import { focusField, focusFirstProblem } from './focus-field';
import { IdentityFields } from './IdentityFields';
import { ReconnectFields } from './ReconnectFields';
import { Stepper } from './Stepper';
import { type Step, splitSettings, stepOf, stepsOf } from './steps';
import { type ConnectionFormState, useConnectionForm } from './use-connection-form';
import styles from './wizard.module.css';

interface WizardProps {
  connector: Connector;
  onSaved: (connection: Connection) => void;
  onCancel: () => void;
}

/** The steps, the one that is shown, and how one comes from one to another. */
function useSteps(form: ConnectionFormState, schema: JsonSchema) {
  const split = splitSettings(schema);
  const steps = stepsOf(split);
  const [step, setStep] = useState<Step>('endpoint');
  const [wanted, setWanted] = useState<string | null>(null);
  const after = steps[steps.indexOf(step) + 1];
  const before = steps[steps.indexOf(step) - 1];
  const names = step === 'endpoint' || step === 'security' ? split[step] : undefined;

  const place = useRef<HTMLDivElement>(null);
  const shown = useRef(step);
  useEffect(() => {
    if (shown.current === step && wanted === null) return;
    shown.current = step;
    // Whoever works with the keyboard goes on in the field that is to be changed, in the one that has taken the focus, or at the top.
    const taken = place.current?.querySelector('input:focus') ?? null;
    if (wanted === null ? taken === null : !focusField(wanted)) place.current?.focus();
    setWanted(null);
  }, [step, wanted]);

  /** Shows the field of a pointer, in whichever step it is. */
  const goTo = (pointer: string) => {
    const target = stepOf(pointer, split);
    if (!target) return;
    setStep(target);
    setWanted(pointer);
  };
  /** The hub has refused something: the step of the first field that it named. */
  const goToRefused = (error: unknown) => {
    const pointer = error instanceof ApiError ? error.fields[0]?.pointer : undefined;
    if (pointer) goTo(pointer);
  };
  const isComplete = () => {
    if (form.settings.check(names)) return true;
    focusFirstProblem();
    return false;
  };
  return { steps, step, setStep, after, before, names, place, goTo, goToRefused, isComplete };
}

/** Endpoint, security, staged test, name: one thing at a time, with the connector's guide beside it. */
export function Wizard({ connector, onSaved, onCancel }: WizardProps) {
  const { t } = useTranslation();
  const form = useConnectionForm(connector);
  const leave = useLeaveGuard(form.dirty);
  const { settings, save, test, general } = form;
  const way = useSteps(form, connector.connectionSchema as JsonSchema);
  const { step, after, before } = way;
  const [tested, setTested] = useState<unknown>(null);
  const passed = test.data?.success === true && tested === settings.value;

  const runTest = () => {
    setTested(settings.value);
    test.mutate(undefined, { onError: way.goToRefused });
  };
  /** On to the name. What was not seen to work is a draft: it waits until somebody starts it. */
  const toName = () => {
    const suggested = `${connector.title} ${addressOf({ settings: settings.value })}`.trim();
    form.set({
      autostart: passed,
      ...(form.common.name === '' ? { name: suggested.slice(0, 100) } : {}),
    });
    way.setStep('name');
  };
  const goOn = (event: FormEvent) => {
    event.preventDefault();
    if (step === 'name') {
      if (form.check())
        save.mutate(undefined, {
          onSuccess: (connection) => {
            leave.release();
            onSaved(connection);
          },
          onError: way.goToRefused,
        });
      else focusFirstProblem();
    } else if (step === 'test') toName();
    else if (way.isComplete() && after) {
      way.setStep(after);
      if (after === 'test' && !passed) runTest();
    }
  };
  const withoutTest = () => {
    if (way.isComplete()) toName();
  };

  return (
    <form onSubmit={goOn} noValidate className={classes.columns}>
      <div className={classes.column}>
        <Stepper steps={way.steps} current={step} onGo={way.setStep} />
        <div ref={way.place} tabIndex={-1}>
          <Panel title={t(`wizard.step.${step}`)}>
            {(step === 'endpoint' || step === 'security') && (
              <SchemaForm
                key={step}
                form={settings}
                idPrefix="settings"
                names={way.names}
                autoFocus={step === 'endpoint'}
              />
            )}
            {step === 'test' && (
              <DraftDiagnosis
                connector={connector}
                settings={settings.value}
                diagnosis={test.data}
                pending={test.isPending}
                stale={tested !== settings.value}
                onGoTo={way.goTo}
                onTestAgain={runTest}
              />
            )}
            {step === 'test' && test.error && general(test.error) !== null && (
              <ErrorMessage error={test.error} />
            )}
            {step === 'name' && (
              <div className={classes.column}>
                {!passed && <Message tone="info">{t('wizard.untested')}</Message>}
                <IdentityFields form={form} isNew autoFocus />
                <ReconnectFields form={form} />
                {save.error && general(save.error) !== null && <ErrorMessage error={save.error} />}
              </div>
            )}
            <div className={styles.foot}>
              {before && (
                <Button variant="default" onClick={() => way.setStep(before)}>
                  {t('common.back')}
                </Button>
              )}
              {step === 'test' && (
                <Button variant="default" loading={test.isPending} onClick={runTest}>
                  {t('wizard.testAgain')}
                </Button>
              )}
              <Button type="submit" loading={save.isPending} disabled={test.isPending}>
                {step === 'name'
                  ? t('editConnection.create')
                  : step === 'test'
                    ? t(passed ? 'wizard.next' : 'wizard.nextAnyway')
                    : after === 'test'
                      ? t('editConnection.test')
                      : t('wizard.next')}
              </Button>
              {after === 'test' && (
                <Button variant="subtle" color="gray" onClick={withoutTest}>
                  {t('wizard.skipTest')}
                </Button>
              )}
              <Button variant="subtle" color="gray" onClick={onCancel}>
                {t('common.cancel')}
              </Button>
            </div>
          </Panel>
        </div>
      </div>
      <div className={`${classes.column} ${classes.sticky}`}>
        <GuidePanel connector={connector} />
      </div>
      {leave.question}
    </form>
  );
}
