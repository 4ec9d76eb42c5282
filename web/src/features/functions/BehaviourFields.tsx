import { NumberInput, Switch } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Schemas } from '@/shared/api';
import type { FunctionKind, HubFunction } from '@/shared/data/functions';
import classes from './functions.module.css';

type FunctionType = Schemas['FunctionType'];

/** What the hub may assume of a function, beside its settings. */
export interface Behaviour {
  /** A call whose outcome is unknown may be repeated. */
  idempotent: boolean;
  /** How often a value is expected, in milliseconds; 0: the hub finds out. */
  expectMs: number;
}

// As the contract has it (Freshness).
const kLongestMs = 2_678_400_000;

export const behaviourOf = (type: FunctionType, stored: HubFunction | undefined): Behaviour => ({
  idempotent: stored?.idempotent ?? type.idempotent,
  expectMs: stored?.freshness.expectMs ?? 0,
});

/** What is as the type has it, or left to the hub, is not said. */
export const toSend = (type: FunctionType, { idempotent, expectMs }: Behaviour) => ({
  ...(idempotent === type.idempotent ? {} : { idempotent }),
  ...(expectMs === 0 ? {} : { freshness: { expectMs } }),
});

interface BehaviourFieldsProps {
  kind: FunctionKind;
  value: Behaviour;
  onChange: (value: Behaviour) => void;
  error: string | undefined;
}

/** Subscriptions may say how often they bring a value; what changes something may say that twice is as good as once. */
export function BehaviourFields({ kind, value, onChange, error }: BehaviourFieldsProps) {
  const { t } = useTranslation();
  if (kind !== 'subscribe' && kind !== 'write' && kind !== 'command') return null;
  return (
    <div className={classes.behaviour}>
      {kind === 'subscribe' ? (
        <NumberInput
          label={t('functions.expectMs')}
          description={t('functions.expectMsHelp')}
          inputWrapperOrder={['label', 'input', 'error', 'description']}
          suffix=" ms"
          min={0}
          max={kLongestMs}
          allowDecimal={false}
          placeholder={t('functions.expectMsAuto')}
          value={value.expectMs === 0 ? '' : value.expectMs}
          onChange={(next) => onChange({ ...value, expectMs: Number(next) || 0 })}
          error={error}
        />
      ) : (
        <Switch
          label={t('functions.idempotent')}
          description={t('functions.idempotentHelp')}
          checked={value.idempotent}
          onChange={(event) => onChange({ ...value, idempotent: event.currentTarget.checked })}
        />
      )}
    </div>
  );
}
