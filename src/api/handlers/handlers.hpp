// Every handler of the API, by resource. Each is one row of the table in routes.cpp.
#pragma once

#include "api/http.hpp"
#include "api/services.hpp"

namespace tributary::api::handlers {

// connectors.cpp
Task<Answer> list_connectors(Services& services, Request& request);
Task<Answer> get_connector(Services& services, Request& request);

// connections.cpp
Task<Answer> list_connections(Services& services, Request& request);
Task<Answer> create_connection(Services& services, Request& request);
Task<Answer> get_connection(Services& services, Request& request);
Task<Answer> replace_connection(Services& services, Request& request);
Task<Answer> update_connection(Services& services, Request& request);
Task<Answer> delete_connection(Services& services, Request& request);

// connection_versions.cpp
Task<Answer> list_connection_versions(Services& services, Request& request);
Task<Answer> get_connection_version(Services& services, Request& request);
Task<Answer> diff_connection_versions(Services& services, Request& request);
Task<Answer> restore_connection_version(Services& services, Request& request);

// connection_commands.cpp
Task<Answer> start_connection(Services& services, Request& request);
Task<Answer> stop_connection(Services& services, Request& request);
Task<Answer> restart_connection(Services& services, Request& request);
Task<Answer> suspend_connection(Services& services, Request& request);
Task<Answer> resume_connection(Services& services, Request& request);
Task<Answer> test_connection(Services& services, Request& request);
Task<Answer> test_unsaved_connection(Services& services, Request& request);
Task<Answer> browse_connection(Services& services, Request& request);
Task<Answer> read_browsed_nodes(Services& services, Request& request);

// bulk.cpp
Task<Answer> command_connections(Services& services, Request& request);
Task<Answer> get_connection_impact(Services& services, Request& request);

// hooks.cpp
Task<Answer> call_hook(Services& services, Request& request);
Task<Answer> preview_schedule(Services& services, Request& request);

// maintenance.cpp
Task<Answer> list_maintenance_windows(Services& services, Request& request);
Task<Answer> create_maintenance_window(Services& services, Request& request);
Task<Answer> get_maintenance_window(Services& services, Request& request);
Task<Answer> replace_maintenance_window(Services& services, Request& request);
Task<Answer> update_maintenance_window(Services& services, Request& request);
Task<Answer> delete_maintenance_window(Services& services, Request& request);
Task<Answer> list_maintenance_occurrences(Services& services, Request& request);

// health.cpp
Task<Answer> list_connection_events(Services& services, Request& request);
Task<Answer> get_connection_health(Services& services, Request& request);
Task<Answer> get_system_health(Services& services, Request& request);
Task<Answer> list_alarms(Services& services, Request& request);
Task<Answer> explain_connection(Services& services, Request& request);

// certificates.cpp
Task<Answer> list_certificates(Services& services, Request& request);
Task<Answer> trust_certificate(Services& services, Request& request);
Task<Answer> delete_certificate(Services& services, Request& request);
// What the server showed to a test and was refused for, as it waits for a decision; otherwise null.
Json refused_certificate(Services& services, const connect::Diagnosis& diagnosis);

// functions.cpp
Task<Answer> list_functions(Services& services, Request& request);
Task<Answer> list_connection_functions(Services& services, Request& request);
Task<Answer> create_function(Services& services, Request& request);
Task<Answer> get_function(Services& services, Request& request);
Task<Answer> replace_function(Services& services, Request& request);
Task<Answer> update_function(Services& services, Request& request);
Task<Answer> delete_function(Services& services, Request& request);
Task<Answer> execute_function(Services& services, Request& request);
Task<Answer> get_function_values(Services& services, Request& request);

// points.cpp
Task<Answer> get_function_points(Services& services, Request& request);
Task<Answer> replace_function_points(Services& services, Request& request);
Task<Answer> replace_points_by_symbols(Services& services, Request& request);

// pipelines.cpp
Task<Answer> list_pipelines(Services& services, Request& request);
Task<Answer> create_pipeline(Services& services, Request& request);
Task<Answer> get_pipeline(Services& services, Request& request);
Task<Answer> replace_pipeline(Services& services, Request& request);
Task<Answer> update_pipeline(Services& services, Request& request);
Task<Answer> delete_pipeline(Services& services, Request& request);
Task<Answer> list_pipeline_versions(Services& services, Request& request);
Task<Answer> enable_pipeline(Services& services, Request& request);
Task<Answer> disable_pipeline(Services& services, Request& request);

// runs.cpp
Task<Answer> run_pipeline(Services& services, Request& request);
Task<Answer> list_pipeline_runs(Services& services, Request& request);
Task<Answer> get_run(Services& services, Request& request);
Task<Answer> cancel_run(Services& services, Request& request);
Task<Answer> rerun(Services& services, Request& request);

// pipeline_versions.cpp
Task<Answer> get_pipeline_version(Services& services, Request& request);
Task<Answer> diff_pipeline_versions(Services& services, Request& request);
Task<Answer> restore_pipeline_version(Services& services, Request& request);
Task<Answer> get_pipeline_draft(Services& services, Request& request);
Task<Answer> save_pipeline_draft(Services& services, Request& request);
Task<Answer> delete_pipeline_draft(Services& services, Request& request);
Task<Answer> deploy_pipeline(Services& services, Request& request);

// pipeline_tools.cpp
Task<Answer> validate_pipeline(Services& services, Request& request);
Task<Answer> test_unsaved_pipeline(Services& services, Request& request);
Task<Answer> test_pipeline(Services& services, Request& request);
Task<Answer> export_pipeline(Services& services, Request& request);
Task<Answer> import_pipeline(Services& services, Request& request);
Task<Answer> list_dependencies(Services& services, Request& request);

// notices.cpp
Task<Answer> list_notices(Services& services, Request& request);
Task<Answer> create_notice(Services& services, Request& request);
Task<Answer> get_notice(Services& services, Request& request);
Task<Answer> replace_notice(Services& services, Request& request);
Task<Answer> update_notice(Services& services, Request& request);
Task<Answer> delete_notice(Services& services, Request& request);
Task<Answer> test_notice(Services& services, Request& request);

// sign_in.cpp
Task<Answer> get_auth_state(Services& services, Request& request);
Task<Answer> setup(Services& services, Request& request);
Task<Answer> login(Services& services, Request& request);
Task<Answer> logout(Services& services, Request& request);
Task<Answer> get_me(Services& services, Request& request);

// tokens.cpp
Task<Answer> list_tokens(Services& services, Request& request);
Task<Answer> create_token(Services& services, Request& request);
Task<Answer> revoke_token(Services& services, Request& request);

// system.cpp
Task<Answer> list_audit(Services& services, Request& request);
Task<Answer> get_system(Services& services, Request& request);
Task<Answer> get_openapi(Services& services, Request& request);
Task<Answer> healthz(Services& services, Request& request);
Task<Answer> readyz(Services& services, Request& request);
Task<Answer> metrics(Services& services, Request& request);

// live.cpp
Task<Answer> stream(Services& services, Request& request);

// dead_letters.cpp
Task<Answer> list_dead_letters(Services& services, Request& request);
Task<Answer> get_dead_letter(Services& services, Request& request);
Task<Answer> release_dead_letters(Services& services, Request& request);
Task<Answer> release_dead_letter(Services& services, Request& request);
Task<Answer> delete_dead_letters(Services& services, Request& request);
Task<Answer> delete_dead_letter(Services& services, Request& request);

}  // namespace tributary::api::handlers
