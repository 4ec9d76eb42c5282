import { lazy } from 'react';
import { Navigate, Route, Routes } from 'react-router';
import { ConnectionsPage } from '@/features/connections';
import type { Me } from '@/shared/data/session';
import { NotFound } from './NotFound';
import { Shell } from './Shell';

const GalleryPage = lazy(() => import('@/features/connections/GalleryPage'));
const NewConnectionPage = lazy(() => import('@/features/connections/NewConnectionPage'));
const EditConnectionPage = lazy(() => import('@/features/connections/EditConnectionPage'));
const ConnectionPage = lazy(() => import('@/features/connections/ConnectionPage'));
const ValuesTab = lazy(() => import('@/features/values/ValuesTab'));
const FunctionsTab = lazy(() => import('@/features/functions/FunctionsTab'));
const FunctionEditor = lazy(() => import('@/features/functions/FunctionEditor'));
const HealthTab = lazy(() => import('@/features/health/HealthTab'));
const PipelinesPage = lazy(() => import('@/features/pipelines/PipelinesPage'));
const SystemPage = lazy(() => import('@/features/system/SystemPage'));

/** Every address of the interface. The hub answers them all with index.html. */
export function AppRoutes({ me }: { me: Me }) {
  return (
    <Routes>
      <Route element={<Shell me={me} />}>
        <Route index element={<Navigate to="/connections" replace />} />
        <Route path="setup" element={<Navigate to="/connections" replace />} />
        <Route path="connections">
          <Route index element={<ConnectionsPage />} />
          <Route path="new" element={<GalleryPage />} />
          <Route path="new/:type" element={<NewConnectionPage />} />
          <Route path=":id/edit" element={<EditConnectionPage />} />
          <Route path=":id" element={<ConnectionPage />}>
            <Route index element={<Navigate to="values" replace />} />
            <Route path="values" element={<ValuesTab />} />
            <Route path="functions" element={<FunctionsTab />} />
            <Route path="functions/new" element={<FunctionEditor />} />
            <Route path="functions/:functionId" element={<FunctionEditor />} />
            <Route path="health" element={<HealthTab />} />
          </Route>
        </Route>
        <Route path="pipelines" element={<PipelinesPage />} />
        <Route path="system" element={<SystemPage me={me} />} />
        <Route path="*" element={<NotFound />} />
      </Route>
    </Routes>
  );
}
