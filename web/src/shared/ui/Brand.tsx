import { useTranslation } from 'react-i18next';

/** Two streams joining one: the mark, with the name. */
export function Brand() {
  const { t } = useTranslation();
  return (
    <>
      <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
        <rect width="32" height="32" rx="7" fill="#0c5a74" />
        <g fill="none" strokeWidth="2.6" strokeLinecap="round">
          <path d="M6 9c6 0 8 7 14 7h6" stroke="#fff" />
          <path d="M6 16h8M6 23c6 0 8-7 14-7" stroke="#7fd3e6" />
        </g>
      </svg>
      <span>{t('app.name')}</span>
    </>
  );
}
