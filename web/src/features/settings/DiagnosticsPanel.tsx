import { Button, Stack } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, ask } from '@/shared/api';
import { hubNow } from '@/shared/data/clock';
import { ErrorMessage, notifyDone, Panel, saveFile } from '@/shared/ui';
import classes from './settings.module.css';

/** The archive for those who help. Asked for by script, so that a refusal is told here and is not a file. */
export function DiagnosticsPanel() {
  const { t } = useTranslation();
  const download = useMutation({
    mutationFn: async () => {
      const archive = await ask(api.GET('/system/diagnostics', { parseAs: 'blob' }));
      const at = new Date(hubNow()).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
      saveFile(`tributary-diagnostics-${at}Z.tar.gz`, 'application/gzip', archive as Blob);
    },
    onSuccess: () => notifyDone(t('settings.diagnostics.done')),
  });
  return (
    <Panel title={t('settings.diagnostics.title')}>
      <Stack gap="sm" align="flex-start">
        <p className={classes.intro}>{t('settings.diagnostics.text')}</p>
        {download.error && <ErrorMessage error={download.error} />}
        <Button
          leftSection={<IconDownload size={16} />}
          loading={download.isPending}
          onClick={() => download.mutate()}
        >
          {t('settings.diagnostics.download')}
        </Button>
      </Stack>
    </Panel>
  );
}
