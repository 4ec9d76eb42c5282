import { createContext, useContext } from 'react';
import type { HubFunction } from '@/shared/data/functions';

/** What the list of points knows of the function around it. */
export interface PointsContextValue {
  connectionId: string;
  /** Undefined: the function is being made. */
  stored: HubFunction | undefined;
  /** Something in the editor is not saved. */
  dirty: boolean;
  canBrowse: boolean;
  /** The hub has a new list. */
  onImported: (saved: HubFunction) => void;
}

const PointsContext = createContext<PointsContextValue | null>(null);

export const PointsProvider = PointsContext.Provider;

export function usePointsContext(): PointsContextValue {
  const value = useContext(PointsContext);
  if (!value) throw new Error('A list of points was used outside a function editor');
  return value;
}
