import { Notifications } from '@mantine/notifications';

/** Where it is said that something worked or failed. */
export default function Notices() {
  return <Notifications position="bottom-right" />;
}
