import { TextInput } from '@mantine/core';
import { useState } from 'react';

interface LabelsInputProps {
  label: string;
  description?: string;
  value: Record<string, string>;
  onChange: (value: Record<string, string>) => void;
}

/** "site: izmir, line: 3" ↔ {site: "izmir", line: "3"}. A word without a colon is a label with an empty value. */
export function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const part of text.split(',')) {
    const [key = '', ...rest] = part.split(':');
    if (key.trim() !== '') labels[key.trim()] = rest.join(':').trim();
  }
  return labels;
}

const print = (labels: Record<string, string>): string =>
  Object.entries(labels)
    .map(([key, value]) => (value === '' ? key : `${key}: ${value}`))
    .join(', ');

/** Labels on one line. */
export function LabelsInput({ label, description, value, onChange }: LabelsInputProps) {
  const [text, setText] = useState(() => print(value));
  return (
    <TextInput
      label={label}
      description={description}
      inputWrapperOrder={['label', 'input', 'error', 'description']}
      placeholder="site: izmir, line: 3"
      value={text}
      spellCheck={false}
      onChange={(event) => {
        setText(event.currentTarget.value);
        onChange(parseLabels(event.currentTarget.value));
      }}
    />
  );
}
