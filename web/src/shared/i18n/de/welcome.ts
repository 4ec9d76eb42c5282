import type { Translated } from '..';
import type { welcome as en } from '../en/welcome';

export const welcome: Translated<typeof en> = {
  welcome: {
    title: 'Erste Schritte',
    ready: 'Schon da',
    readyText: 'Diese Verbindungen gibt es bereits. Eine wählen, um ihre Live-Werte zu sehen.',
    demo: 'Die Demo-Anlage verbinden',
    demoText:
      'Eine simulierte Abfülllinie zum Ausprobieren: {{count}} Funktionen und eine Pipeline, die auf das Gelesene reagiert. Auf einem beliebigen Rechner starten und dann sagen, wo sie ist.',
    demoStart: 'Starten mit',
    demoHost: 'Host',
    demoPort: 'Port',
    demoConnect: 'Verbinden',
    demoTaken: 'Es gibt schon eine Verbindung namens „{{name}}“.',
    own: 'Die erste eigene Verbindung',
    ownText:
      'Eine SPS, ein Broker, eine Datenbank: die Art wählen, Schritt für Schritt prüfen, speichern.',
    skip: 'Zu den Verbindungen',
  },
};
