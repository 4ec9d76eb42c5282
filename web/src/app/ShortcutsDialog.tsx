import { useTranslation } from 'react-i18next';
import { Dialog } from '@/shared/ui/Dialog';
import classes from './Shell.module.css';

const shortcuts = [
  ['palette', ['Ctrl', 'K']],
  ['help', ['?']],
  ['search', ['/']],
  ['close', ['Esc']],
  ['tab', ['Tab']],
  ['move', ['↑', '↓']],
  ['undo', ['Ctrl', 'Z']],
] as const;

export default function ShortcutsDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Dialog onClose={onClose} title={t('shortcuts.title')}>
      <dl className={classes.shortcuts}>
        {shortcuts.map(([what, keys]) => (
          <div key={what}>
            <dt>{t(`shortcuts.${what}`)}</dt>
            <dd>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
