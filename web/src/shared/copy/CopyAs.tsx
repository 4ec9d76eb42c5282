import { ActionIcon, Menu, Tooltip } from '@mantine/core';
import { IconCode, IconFileCode, IconTerminal2 } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { notifyDone, notifyFailed, useErrorText } from '@/shared/ui';
import { copyText } from '@/shared/ui/copy-text';
import {
  type ApiRequest,
  applyCommand,
  curlCommand,
  documentYaml,
  type HubDocument,
} from './commands';

interface CopyAsProps {
  /** The request that gets (or does) what the page shows; a function of those that depend on the time. */
  request: ApiRequest | (() => ApiRequest);
  /** What makes it again on another hub; left out where `tributary apply` knows no such thing. */
  document?: () => Promise<HubDocument>;
}

/** "Copy as curl / command line / YAML": what the page shows, for scripts, tickets and version control. Never with a secret. */
export function CopyAs({ request, document }: CopyAsProps) {
  const { t } = useTranslation();
  const errorText = useErrorText();
  const copy = async (what: 'curl' | 'cli' | 'yaml', text: Promise<string>) => {
    try {
      await copyText(await text);
      notifyDone(t('copyAs.copied', { what: t(`copyAs.${what}`) }));
    } catch (error) {
      notifyFailed(t('error.failed'), errorText(error).message);
    }
  };
  const { origin } = location;
  return (
    <Menu position="bottom-end" withinPortal>
      {/* Around the target: what is directly in it names the menu. */}
      <Tooltip label={t('copyAs.title')}>
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label={t('copyAs.title')}>
            <IconCode size={16} />
          </ActionIcon>
        </Menu.Target>
      </Tooltip>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<IconTerminal2 size={16} />}
          onClick={() =>
            void copy(
              'curl',
              Promise.resolve(
                curlCommand(typeof request === 'function' ? request() : request, origin),
              ),
            )
          }
        >
          {t('copyAs.curl')}
        </Menu.Item>
        {document && (
          <>
            <Menu.Item
              leftSection={<IconTerminal2 size={16} />}
              onClick={() =>
                void copy(
                  'cli',
                  document().then((one) => applyCommand(one, origin)),
                )
              }
            >
              {t('copyAs.cli')}
            </Menu.Item>
            <Menu.Item
              leftSection={<IconFileCode size={16} />}
              onClick={() => void copy('yaml', document().then(documentYaml))}
            >
              {t('copyAs.yaml')}
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
