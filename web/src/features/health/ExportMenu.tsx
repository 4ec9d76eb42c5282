import { Button, Menu } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { notifyFailed, useErrorText } from '@/shared/ui';

/** Files to save, each made when it is chosen. */
export function ExportMenu({ files }: { files: { label: string; save: () => Promise<void> }[] }) {
  const { t } = useTranslation();
  const errorText = useErrorText();
  const save = useMutation({
    mutationFn: (one: () => Promise<void>) => one(),
    onError: (error) => notifyFailed(t('error.failed'), errorText(error).message),
  });
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconDownload size={14} />}
          loading={save.isPending}
        >
          {t('health.export')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {files.map((file) => (
          <Menu.Item key={file.label} onClick={() => save.mutate(file.save)}>
            {file.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
