export { ConnectionsPage } from './list/ConnectionsPage';
