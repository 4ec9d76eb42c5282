import { lazy } from 'react';
import { Navigate, Route, Routes } from 'react-router';
import type { Me } from '@/shared/data/session';
import { NotFound } from './NotFound';
import { Shell } from './Shell';

const ConnectionsPage = lazy(() => import('@/features/connections/list/ConnectionsPage'));
const GalleryPage = lazy(() => import('@/features/connections/list/GalleryPage'));
const NewConnectionPage = lazy(() => import('@/features/connections/edit/NewConnectionPage'));
const ConnectionPage = lazy(() => import('@/features/connections/detail/ConnectionPage'));
const FirstTab = lazy(() => import('@/features/connections/detail/FirstTab'));
const OverviewTab = lazy(() => import('@/features/connections/detail/OverviewTab'));
const BrowseTab = lazy(() => import('@/features/connections/detail/BrowseTab'));
const EventsTab = lazy(() => import('@/features/connections/detail/EventsTab'));
const ConnectionSettingsTab = lazy(() => import('@/features/connections/detail/SettingsTab'));
const ConnectionUsedByTab = lazy(() => import('@/features/connections/detail/UsedByTab'));
const ValuesTab = lazy(() => import('@/features/values/ValuesTab'));
const FunctionsTab = lazy(() => import('@/features/functions/FunctionsTab'));
const FunctionEditor = lazy(() => import('@/features/functions/FunctionEditor'));
const HealthTab = lazy(() => import('@/features/health/HealthTab'));
const HealthPage = lazy(() => import('@/features/health/HealthPage'));
const HealthOverview = lazy(() => import('@/features/health/overview/Overview'));
const MaintenanceTab = lazy(() => import('@/features/health/maintenance/MaintenanceTab'));
const MaintenanceWindowPage = lazy(() => import('@/features/health/maintenance/WindowPage'));
const NoticesTab = lazy(() => import('@/features/health/notices/NoticesTab'));
const NoticePage = lazy(() => import('@/features/health/notices/NoticePage'));
const WelcomePage = lazy(() => import('@/features/auth/WelcomePage'));
const PipelinesPage = lazy(() => import('@/features/pipelines/PipelinesPage'));
const PipelinePage = lazy(() => import('@/features/pipelines/PipelinePage'));
const PipelineGraphTab = lazy(() => import('@/features/pipelines/GraphTab'));
const PipelineRunsTab = lazy(() => import('@/features/pipelines/runs/RunsTab'));
const PipelineRunPage = lazy(() => import('@/features/pipelines/runs/RunPage'));
const DeadLettersTab = lazy(() => import('@/features/pipelines/runs/DeadLettersTab'));
const PipelineVersionsTab = lazy(() => import('@/features/pipelines/VersionsTab'));
const PipelineUsedByTab = lazy(() => import('@/features/pipelines/UsedByTab'));
const PipelineEditor = lazy(() => import('@/features/pipelines/editor/EditorPage'));
const SettingsPage = lazy(() => import('@/features/settings/SettingsPage'));

/** Every address of the interface. The hub answers them all with index.html. */
export function AppRoutes({ me }: { me: Me }) {
  return (
    <Routes>
      <Route element={<Shell me={me} />}>
        <Route index element={<Navigate to="/connections" replace />} />
        <Route path="setup" element={<Navigate to="/welcome" replace />} />
        <Route path="welcome" element={<WelcomePage />} />
        <Route path="connections">
          <Route index element={<ConnectionsPage />} />
          <Route path="new" element={<GalleryPage />} />
          <Route path="new/:type" element={<NewConnectionPage />} />
          <Route path=":id" element={<ConnectionPage />}>
            <Route index element={<FirstTab />} />
            <Route path="overview" element={<OverviewTab />} />
            <Route path="values" element={<ValuesTab />} />
            <Route path="functions" element={<FunctionsTab />} />
            <Route path="functions/new" element={<FunctionEditor />} />
            <Route path="functions/:functionId" element={<FunctionEditor />} />
            <Route path="browse" element={<BrowseTab />} />
            <Route path="health" element={<HealthTab />} />
            <Route path="events" element={<EventsTab />} />
            <Route path="settings" element={<ConnectionSettingsTab />} />
            <Route path="edit" element={<Navigate to="../settings" replace />} />
            <Route path="usedby" element={<ConnectionUsedByTab />} />
          </Route>
        </Route>
        <Route path="health" element={<HealthPage />}>
          <Route index element={<HealthOverview />} />
          <Route path="maintenance" element={<MaintenanceTab />} />
          <Route path="maintenance/new" element={<MaintenanceWindowPage />} />
          <Route path="maintenance/:id" element={<MaintenanceWindowPage />} />
          <Route path="notices" element={<NoticesTab />} />
          <Route path="notices/new" element={<NoticePage />} />
          <Route path="notices/:id" element={<NoticePage />} />
        </Route>
        <Route path="pipelines">
          <Route index element={<PipelinesPage />} />
          <Route path="new" element={<PipelineEditor />} />
          <Route path=":id/edit" element={<PipelineEditor />} />
          <Route path=":id" element={<PipelinePage />}>
            <Route index element={<Navigate to="graph" replace />} />
            <Route path="graph" element={<PipelineGraphTab />} />
            <Route path="runs" element={<PipelineRunsTab />} />
            <Route path="runs/:runId" element={<PipelineRunPage />} />
            <Route path="deadletters" element={<DeadLettersTab />} />
            <Route path="versions" element={<PipelineVersionsTab />} />
            <Route path="usedby" element={<PipelineUsedByTab />} />
          </Route>
        </Route>
        <Route path="settings/*" element={<SettingsPage me={me} />} />
        <Route path="*" element={<NotFound />} />
      </Route>
    </Routes>
  );
}
