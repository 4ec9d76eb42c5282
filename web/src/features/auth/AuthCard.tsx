import { type ReactNode, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { Brand } from '@/shared/ui/Brand';
import classes from './auth.module.css';

/** The frame of the screens before the shell. */
export function AuthCard({
  title,
  intro,
  over,
  children,
}: {
  title: string;
  intro?: string;
  /** Above a page, which is the main part of the document. */
  over?: boolean;
  children: ReactNode;
}) {
  const { t } = useTranslation();
  useEffect(() => {
    const before = document.title;
    document.title = `${title} · ${t('app.name')}`;
    return () => {
      document.title = before;
    };
  }, [title, t]);
  const Frame = over ? 'div' : 'main';
  return (
    <Frame className={classes.screen}>
      <div className={classes.card}>
        <div className={classes.brand}>
          <Brand />
        </div>
        <h1 className={classes.title}>{title}</h1>
        {intro && <p className={classes.intro}>{intro}</p>}
        {children}
      </div>
    </Frame>
  );
}
