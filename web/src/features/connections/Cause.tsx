import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Schemas } from '@/shared/api';
import { Ago, Message, type Tone, ui } from '@/shared/ui';

/** Why something is as it is: the kind of fault, the sentence, what to do, and the code that stays the same. */
export function Cause({
  cause,
  tone,
  action,
}: {
  cause: Schemas['Cause'];
  tone: Tone;
  action?: ReactNode;
}) {
  const { t } = useTranslation();
  return (
    <Message tone={tone} action={action}>
      <p>
        <strong>{t(`connection.errorClass.${cause.class}`)}</strong> {cause.message}
      </p>
      {cause.hint && <p>{cause.hint}</p>}
      <p className={ui.reference}>
        {cause.code}
        {cause.at && (
          <>
            {' · '}
            <Ago at={cause.at} />
          </>
        )}
      </p>
    </Message>
  );
}
