import { Navigate } from 'react-router';
import { useThisConnection } from './ConnectionPage';

/** A connection that is down is opened for its cause, any other one for its values. */
export default function FirstTab() {
  const { state } = useThisConnection();
  const down = ['Disconnected', 'Reconnecting', 'Failed'].includes(state.status);
  return <Navigate to={down ? 'overview' : 'values'} replace />;
}
