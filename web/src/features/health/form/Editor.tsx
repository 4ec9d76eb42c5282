import { Button } from '@mantine/core';
import type { FormEvent, ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { ApiError } from '@/shared/api';
import { type FieldError, SchemaForm, type SchemaFormState } from '@/shared/form';
import { ErrorMessage, Message, Panel } from '@/shared/ui';
import classes from '../health.module.css';
import { widgetFor } from './fields';

/** Puts the refusals of the hub at their fields; what is edited is the whole document, and not the settings within one. */
export function takeRefusals(form: SchemaFormState, error: unknown): FieldError[] {
  if (!(error instanceof ApiError)) return [];
  return form.takeServerErrors(
    error.fields.map((one) => ({
      ...one,
      pointer: one.pointer.startsWith('/secrets') ? one.pointer : `/settings${one.pointer}`,
    })),
  );
}

interface EditorProps {
  title: string;
  form: SchemaFormState;
  idPrefix: string;
  /** Where one goes without saving. */
  back: string;
  pending: boolean;
  error: unknown;
  onSave: () => void;
  actions?: ReactNode;
  /** Beside the title. */
  aside?: ReactNode;
  children?: ReactNode;
}

/** A document as a form, with what can be done to it. */
export function Editor(props: EditorProps) {
  const { t } = useTranslation();
  const { form, error } = props;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (form.check()) props.onSave();
  };
  const shownAtFields = error instanceof ApiError && error.fields.length > 0;
  return (
    <Panel title={props.title} aside={props.aside}>
      <form className={classes.column} onSubmit={submit} noValidate>
        <SchemaForm autoFocus form={form} idPrefix={props.idPrefix} widgetFor={widgetFor} />
        {props.children}
        {error !== null && error !== undefined && !shownAtFields && <ErrorMessage error={error} />}
        {shownAtFields && (
          <Message tone="bad" alert>
            {t('form.fixErrors', { count: error.fields.length })}
          </Message>
        )}
        <div className={classes.formFoot}>
          {props.actions}
          <Button component={Link} to={props.back} variant="default">
            {t('common.cancel')}
          </Button>
          <Button type="submit" loading={props.pending}>
            {t('common.save')}
          </Button>
        </div>
      </form>
    </Panel>
  );
}
