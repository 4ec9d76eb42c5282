import { CloseButton, TextInput, type TextInputProps } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import ui from './ui.module.css';

interface SearchFieldProps
  extends Omit<TextInputProps, 'value' | 'onChange' | 'aria-label' | 'className'> {
  /** What is searched for; where it is kept may take it over later than it is typed, as the address does. */
  value: string;
  onChange: (value: string) => void;
  label: string;
}

/** The search of a list. It shows each letter at once: what is typed fast is not taken back by a `value` that follows late. */
export function SearchField({ value, onChange, label, ...props }: SearchFieldProps) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState(value);
  // What was typed here and has not come back as the value yet.
  const onTheWay = useRef<string[]>([]);
  useEffect(() => {
    const echo = onTheWay.current.indexOf(value);
    onTheWay.current = echo < 0 ? [] : onTheWay.current.slice(echo + 1);
    if (onTheWay.current.length === 0) setTyped(value);
  }, [value]);
  const change = (next: string) => {
    onTheWay.current.push(next);
    setTyped(next);
    onChange(next);
  };
  return (
    <TextInput
      placeholder={label}
      {...props}
      className={ui.search ?? ''}
      aria-label={label}
      leftSection={<IconSearch size={16} aria-hidden />}
      rightSection={
        typed && (
          <CloseButton size="sm" aria-label={t('common.clearSearch')} onClick={() => change('')} />
        )
      }
      value={typed}
      onChange={(event) => change(event.currentTarget.value)}
    />
  );
}
