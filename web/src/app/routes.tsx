import { Navigate, Route, Routes } from 'react-router';
import type { Me } from '@/shared/data/session';
import { NotFound } from './NotFound';
import { page } from './page';
import { Shell } from './Shell';

const ConnectionsPage = page(
  'connections',
  () => import('@/features/connections/list/ConnectionsPage'),
);
const GalleryPage = page('connections', () => import('@/features/connections/list/GalleryPage'));
const NewConnectionPage = page(
  'connections',
  () => import('@/features/connections/edit/NewConnectionPage'),
);
const ConnectionPage = page(
  'connections',
  () => import('@/features/connections/detail/ConnectionPage'),
);
const OverviewTab = page('connections', () => import('@/features/connections/detail/OverviewTab'));
const BrowseTab = page('connections', () => import('@/features/connections/detail/BrowseTab'));
const EventsTab = page('connections', () => import('@/features/connections/detail/EventsTab'));
const ConnectionSettingsTab = page(
  'connections',
  () => import('@/features/connections/detail/SettingsTab'),
);
const ConnectionUsedByTab = page(
  'connections',
  () => import('@/features/connections/detail/UsedByTab'),
);
const ValuesTab = page('values', () => import('@/features/values/ValuesTab'));
const FunctionsTab = page('functions', () => import('@/features/functions/FunctionsTab'));
const FunctionEditor = page('functions', () => import('@/features/functions/FunctionEditor'));
const HealthTab = page('health', () => import('@/features/health/HealthTab'));
const HealthPage = page('health', () => import('@/features/health/HealthPage'));
const HealthOverview = page('health', () => import('@/features/health/overview/Overview'));
const MaintenanceTab = page('health', () => import('@/features/health/maintenance/MaintenanceTab'));
const MaintenanceWindowPage = page(
  'health',
  () => import('@/features/health/maintenance/WindowPage'),
);
const NoticesTab = page('health', () => import('@/features/health/notices/NoticesTab'));
const NoticePage = page('health', () => import('@/features/health/notices/NoticePage'));
const WelcomePage = page('auth', () => import('@/features/auth/WelcomePage'));
const PipelinesPage = page('pipelines', () => import('@/features/pipelines/PipelinesPage'));
const PipelinePage = page('pipelines', () => import('@/features/pipelines/PipelinePage'));
const PipelineGraphTab = page('pipelines', () => import('@/features/pipelines/GraphTab'));
const PipelineRunsTab = page('pipelines', () => import('@/features/pipelines/runs/RunsTab'));
const PipelineRunPage = page('pipelines', () => import('@/features/pipelines/runs/RunPage'));
const DeadLettersTab = page('pipelines', () => import('@/features/pipelines/runs/DeadLettersTab'));
const PipelineVersionsTab = page('pipelines', () => import('@/features/pipelines/VersionsTab'));
const PipelineUsedByTab = page('pipelines', () => import('@/features/pipelines/UsedByTab'));
const PipelineEditor = page('pipelines', () => import('@/features/pipelines/editor/EditorPage'));
const SettingsPage = page('settings', () => import('@/features/settings/SettingsPage'));

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
