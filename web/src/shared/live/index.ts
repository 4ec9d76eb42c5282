export { LiveClient, type LiveStatus, type Topic, type TopicListener } from './client';
export { LiveProvider, makeLiveClient, useLiveClient, useLiveStatus, useTopic } from './context';
