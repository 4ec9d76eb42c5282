#include "api/handlers/handlers.hpp"
#include "api/handlers/settings.hpp"
#include "api/router.hpp"

namespace tributary::api {
namespace {

using namespace handlers;
using enum Policy;

// Reads.
constexpr Route read(std::string_view path, Policy policy, Handler handler) {
  return {"GET", path, policy, Body::kNone, Replay::kNo, "", handler};
}
// Changes something; each has a name in the audit. Signing in and out has none here: auth::Auth
// writes its own rows.
constexpr Route change(std::string_view method, std::string_view path, Policy policy, Body body,
                       std::string_view action, Handler handler, Replay replay = Replay::kNo) {
  return {method, path, policy, body, replay, action, handler};
}
// A POST whose answer may be kept for Idempotency-Key.
constexpr Route post(std::string_view path, Body body, std::string_view action, Handler handler) {
  return change("POST", path, kAuthenticated, body, action, handler, Replay::kYes);
}

constexpr Body kBody = Body::kRequired;
constexpr Body kMaybe = Body::kOptional;
constexpr Body kNoBody = Body::kNone;

constexpr Route kRoutes[] = {
    read("/healthz", kPublic, healthz),
    read("/readyz", kPublic, readyz),
    read("/metrics", kAuthenticated, metrics),

    read("/api/v1/auth/state", kPublic, get_auth_state),
    change("POST", "/api/v1/auth/setup", kPublic, kBody, "", setup),
    change("POST", "/api/v1/auth/login", kPublic, kBody, "", login),
    change("POST", "/api/v1/auth/logout", kAuthenticated, kNoBody, "", logout),
    read("/api/v1/auth/me", kAuthenticated, get_me),
    read("/api/v1/tokens", kAuthenticated, list_tokens),
    change("POST", "/api/v1/tokens", kPerson, kBody, "token.create", create_token),
    change("DELETE", "/api/v1/tokens/{id}", kPerson, kNoBody, "token.revoke", revoke_token),
    read("/api/v1/users", kAuthenticated, list_users),
    read("/api/v1/audit", kAuthenticated, list_audit),
    read("/api/v1/secrets", kAuthenticated, list_secrets),
    read("/api/v1/system", kAuthenticated, get_system),
    read("/api/v1/system/log", kAuthenticated, get_log_levels),
    change("PUT", "/api/v1/system/log", kAuthenticated, kBody, "system.log", replace_log_levels),
    read("/api/v1/system/diagnostics", kAuthenticated, get_diagnostics),
    read("/api/v1/openapi.yaml", kAuthenticated, get_openapi),
    read("/api/v1/stream", kAuthenticated, stream),

    read("/api/v1/connectors", kAuthenticated, list_connectors),
    read("/api/v1/connectors/{type}", kAuthenticated, get_connector),
    read("/api/v1/node-types", kAuthenticated, list_node_types),

    read("/api/v1/connections", kAuthenticated, list_connections),
    post("/api/v1/connections", kBody, "connection.create", create_connection),
    post("/api/v1/connections/bulk", kBody, "connection.bulk", command_connections),
    post("/api/v1/connections/test", kBody, "connection.test", test_unsaved_connection),
    read("/api/v1/connections/{id}", kAuthenticated, get_connection),
    change("PUT", "/api/v1/connections/{id}", kAuthenticated, kBody, "connection.update",
           replace_connection),
    change("PATCH", "/api/v1/connections/{id}", kAuthenticated, kBody, "connection.update",
           update_connection),
    change("DELETE", "/api/v1/connections/{id}", kAuthenticated, kNoBody, "connection.delete",
           delete_connection),
    read("/api/v1/connections/{id}/versions", kAuthenticated, list_connection_versions),
    read("/api/v1/connections/{id}/versions/{version}", kAuthenticated, get_connection_version),
    read("/api/v1/connections/{id}/versions/{version}/diff/{other}", kAuthenticated,
         diff_connection_versions),
    post("/api/v1/connections/{id}/versions/{version}/restore", kNoBody, "connection.restore",
         restore_connection_version),
    post("/api/v1/connections/{id}/start", kNoBody, "connection.start", start_connection),
    post("/api/v1/connections/{id}/stop", kNoBody, "connection.stop", stop_connection),
    post("/api/v1/connections/{id}/restart", kNoBody, "connection.restart", restart_connection),
    post("/api/v1/connections/{id}/suspend", kBody, "connection.suspend", suspend_connection),
    post("/api/v1/connections/{id}/resume", kMaybe, "connection.resume", resume_connection),
    post("/api/v1/connections/{id}/test", kNoBody, "connection.test", test_connection),
    read("/api/v1/connections/{id}/impact", kAuthenticated, get_connection_impact),
    read("/api/v1/connections/{id}/browse", kAuthenticated, browse_connection),
    change("POST", "/api/v1/connections/{id}/browse/values", kAuthenticated, kBody, "",
           read_browsed_nodes),
    read("/api/v1/connections/{id}/events", kAuthenticated, list_connection_events),
    read("/api/v1/connections/{id}/health", kAuthenticated, get_connection_health),
    read("/api/v1/health/connections", kAuthenticated, get_system_health),
    read("/api/v1/connections/{id}/explanation", kAuthenticated, explain_connection),
    read("/api/v1/alarms", kAuthenticated, list_alarms),

    read("/api/v1/certificates", kAuthenticated, list_certificates),
    post("/api/v1/certificates/{id}/trust", kNoBody, "certificate.trust", trust_certificate),
    change("DELETE", "/api/v1/certificates/{id}", kAuthenticated, kNoBody, "certificate.delete",
           delete_certificate),

    read("/api/v1/connections/{id}/functions", kAuthenticated, list_connection_functions),
    post("/api/v1/connections/{id}/functions", kBody, "function.create", create_function),
    read("/api/v1/functions", kAuthenticated, list_functions),
    read("/api/v1/functions/{id}", kAuthenticated, get_function),
    change("PUT", "/api/v1/functions/{id}", kAuthenticated, kBody, "function.update",
           replace_function),
    change("PATCH", "/api/v1/functions/{id}", kAuthenticated, kBody, "function.update",
           update_function),
    change("DELETE", "/api/v1/functions/{id}", kAuthenticated, kNoBody, "function.delete",
           delete_function),
    post("/api/v1/functions/{id}/execute", kMaybe, "function.execute", execute_function),
    read("/api/v1/functions/{id}/values", kAuthenticated, get_function_values),
    read("/api/v1/functions/{id}/points", kAuthenticated, get_function_points),
    change("PUT", "/api/v1/functions/{id}/points", kAuthenticated, kBody, "function.update",
           replace_function_points),
    change("PUT", "/api/v1/functions/{id}/points/symbols", kAuthenticated, kBody, "function.update",
           replace_points_by_symbols),

    read("/api/v1/maintenance-windows", kAuthenticated, list_maintenance_windows),
    post("/api/v1/maintenance-windows", kBody, "maintenance.create", create_maintenance_window),
    read("/api/v1/maintenance-windows/{id}", kAuthenticated, get_maintenance_window),
    change("PUT", "/api/v1/maintenance-windows/{id}", kAuthenticated, kBody, "maintenance.update",
           replace_maintenance_window),
    change("PATCH", "/api/v1/maintenance-windows/{id}", kAuthenticated, kBody, "maintenance.update",
           update_maintenance_window),
    change("DELETE", "/api/v1/maintenance-windows/{id}", kAuthenticated, kNoBody,
           "maintenance.delete", delete_maintenance_window),
    read("/api/v1/maintenance-windows/{id}/occurrences", kAuthenticated,
         list_maintenance_occurrences),

    read("/api/v1/pipelines", kAuthenticated, list_pipelines),
    post("/api/v1/pipelines", kBody, "pipeline.create", create_pipeline),
    post("/api/v1/pipelines/validate", kBody, "", validate_pipeline),
    post("/api/v1/pipelines/test", kBody, "pipeline.test", test_unsaved_pipeline),
    post("/api/v1/pipelines/import", kBody, "pipeline.import", import_pipeline),
    read("/api/v1/dependencies", kAuthenticated, list_dependencies),
    change("POST", "/api/v1/pipelines/schedule/preview", kAuthenticated, kBody, "",
           preview_schedule),
    read("/api/v1/pipelines/{id}", kAuthenticated, get_pipeline),
    change("PUT", "/api/v1/pipelines/{id}", kAuthenticated, kBody, "pipeline.update",
           replace_pipeline),
    change("PATCH", "/api/v1/pipelines/{id}", kAuthenticated, kBody, "pipeline.update",
           update_pipeline),
    change("DELETE", "/api/v1/pipelines/{id}", kAuthenticated, kNoBody, "pipeline.delete",
           delete_pipeline),
    read("/api/v1/pipelines/{id}/versions", kAuthenticated, list_pipeline_versions),
    read("/api/v1/pipelines/{id}/versions/{version}", kAuthenticated, get_pipeline_version),
    read("/api/v1/pipelines/{id}/versions/{version}/diff/{other}", kAuthenticated,
         diff_pipeline_versions),
    post("/api/v1/pipelines/{id}/versions/{version}/restore", kNoBody, "pipeline.restore",
         restore_pipeline_version),
    read("/api/v1/pipelines/{id}/draft", kAuthenticated, get_pipeline_draft),
    change("PUT", "/api/v1/pipelines/{id}/draft", kAuthenticated, kBody, "pipeline.draft",
           save_pipeline_draft),
    change("DELETE", "/api/v1/pipelines/{id}/draft", kAuthenticated, kNoBody,
           "pipeline.draft.delete", delete_pipeline_draft),
    post("/api/v1/pipelines/{id}/deploy", kMaybe, "pipeline.deploy", deploy_pipeline),
    post("/api/v1/pipelines/{id}/test", kMaybe, "pipeline.test", test_pipeline),
    read("/api/v1/pipelines/{id}/export", kAuthenticated, export_pipeline),
    post("/api/v1/pipelines/{id}/enable", kNoBody, "pipeline.enable", enable_pipeline),
    post("/api/v1/pipelines/{id}/disable", kNoBody, "pipeline.disable", disable_pipeline),
    post("/api/v1/pipelines/{id}/run", kMaybe, "pipeline.run", run_pipeline),
    read("/api/v1/pipelines/{id}/runs", kAuthenticated, list_pipeline_runs),
    read("/api/v1/runs/{id}", kAuthenticated, get_run),
    post("/api/v1/runs/{id}/cancel", kNoBody, "run.cancel", cancel_run),
    post("/api/v1/runs/{id}/rerun", kNoBody, "run.rerun", rerun),
    read("/api/v1/pipelines/{id}/deadletters", kAuthenticated, list_dead_letters),
    post("/api/v1/pipelines/{id}/deadletters/release", kMaybe, "deadletter.release",
         release_dead_letters),
    post("/api/v1/pipelines/{id}/deadletters/delete", kMaybe, "deadletter.delete",
         delete_dead_letters),
    read("/api/v1/pipelines/{id}/deadletters/{letter}", kAuthenticated, get_dead_letter),
    post("/api/v1/pipelines/{id}/deadletters/{letter}/release", kNoBody, "deadletter.release",
         release_dead_letter),
    change("DELETE", "/api/v1/pipelines/{id}/deadletters/{letter}", kAuthenticated, kNoBody,
           "deadletter.delete", delete_dead_letter),

    read("/api/v1/notices", kAuthenticated, list_notices),
    post("/api/v1/notices", kBody, "notice.create", create_notice),
    read("/api/v1/notices/{id}", kAuthenticated, get_notice),
    change("PUT", "/api/v1/notices/{id}", kAuthenticated, kBody, "notice.update", replace_notice),
    change("PATCH", "/api/v1/notices/{id}", kAuthenticated, kBody, "notice.update", update_notice),
    change("DELETE", "/api/v1/notices/{id}", kAuthenticated, kNoBody, "notice.delete",
           delete_notice),
    post("/api/v1/notices/{id}/test", kNoBody, "notice.test", test_notice),
};

}  // namespace

std::span<const Route> all_routes() {
  return kRoutes;
}

}  // namespace tributary::api
