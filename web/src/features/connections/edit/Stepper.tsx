import { IconCheck } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Step } from './steps';
import classes from './wizard.module.css';

interface StepperProps {
  steps: readonly Step[];
  current: Step;
  onGo: (step: Step) => void;
}

/** Where one is. Steps that were taken can be gone back to; those ahead are reached by going on. */
export function Stepper({ steps, current, onGo }: StepperProps) {
  const { t } = useTranslation();
  const at = steps.indexOf(current);
  return (
    <nav aria-label={t('wizard.steps')}>
      <ol className={classes.steps}>
        {steps.map((step, index) => (
          <li key={step}>
            <button
              type="button"
              className={classes.step}
              disabled={index > at}
              aria-current={index === at ? 'step' : undefined}
              onClick={() => onGo(step)}
            >
              <span className={classes.dot} aria-hidden>
                {index < at ? <IconCheck size={14} /> : index + 1}
              </span>
              {t(`wizard.step.${step}`)}
            </button>
          </li>
        ))}
        <li>
          <span className={classes.step} data-last>
            <span className={classes.dot} aria-hidden>
              {steps.length + 1}
            </span>
            {t('wizard.step.function')}
          </span>
        </li>
      </ol>
    </nav>
  );
}
