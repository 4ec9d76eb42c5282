#include "store/migrations.hpp"

#include "store/query.hpp"
#include "store/sqlite.hpp"

namespace tributary::store {

namespace {

// Columns are text or bigint and nothing else: what both databases read back alike. Times are UTC
// microseconds, flags 0 or 1, documents JSON text.
const std::vector<std::string> kFirstTables = {
    "create table connections (id text primary key, version bigint not null, name text not null "
    "unique, "
    "type text not null, description text not null, labels text not null, settings text not null, "
    "reconnect text not null, autostart bigint not null, intent text not null, suspend_reason text "
    "not null, "
    "suspended_by text not null, suspended_at bigint, suspended_until bigint, created_at bigint "
    "not null, "
    "updated_at bigint not null)",
    "create table secrets (connection_id text not null, field text not null, sealed text not null, "
    "version bigint not null, changed_at bigint not null, primary key (connection_id, field))",
    "create table functions (id text primary key, version bigint not null, connection_id text not "
    "null, "
    "name text not null, type text not null, description text not null, settings text not null, "
    "enabled bigint not null, created_at bigint not null, updated_at bigint not null, unique "
    "(connection_id, name))",
    // No foreign key: history stays when its connection goes.
    "create table history (connection_id text not null, seq bigint not null, epoch bigint not "
    "null, "
    "from_status text not null, to_status text not null, cause_class text not null, cause_code "
    "text not null, "
    "cause_message text not null, note text not null, actor text not null, at bigint not null, "
    "monotonic_ns bigint not null, boot_id text not null, primary key (connection_id, seq))",
    "create index history_by_time on history (connection_id, at)",
    "create table boots (number bigint primary key, boot_id text not null unique, at bigint not "
    "null, "
    "monotonic_ns bigint not null)",
    "create table pipelines (id text primary key, version bigint not null, name text not null, "
    "description text not null, labels text not null, document text not null, enabled bigint not "
    "null, "
    "created_at bigint not null, updated_at bigint not null)",
    "create table pipeline_versions (pipeline_id text not null, version bigint not null, document "
    "text not null, "
    "actor text not null, at bigint not null, primary key (pipeline_id, version))",
    "create table runs (id text primary key, pipeline_id text not null, status text not null, "
    "trigger_name text not null, started_at bigint not null, ended_at bigint, records_in bigint "
    "not null, "
    "records_out bigint not null, errors bigint not null, detail text not null)",
    "create index runs_by_pipeline on runs (pipeline_id, id)",
    "create table users (id text primary key, username text not null unique, password_hash text "
    "not null, "
    "role text not null, created_at bigint not null)",
    "create table tokens (id text primary key, name text not null, hash text not null unique, role "
    "text not null, "
    "created_at bigint not null, expires_at bigint, last_used_at bigint)",
    "create table sessions (hash text primary key, user_id text not null, created_at bigint not "
    "null, "
    "last_seen_at bigint not null)",
    "create table audit (seq bigint primary key, at bigint not null, actor text not null, action "
    "text not null, "
    "target text not null, detail text not null)",
    "create table idempotency (request_key text primary key, fingerprint text not null, status "
    "bigint not null, "
    "body text not null, at bigint not null)",
    "create index idempotency_by_time on idempotency (at)",
};

const std::vector<std::string> kAlarms = {
    "create table alarms (id text primary key, connection_id text not null, kind text not null, "
    "subject text not null, severity text not null, message text not null, raised_at bigint not "
    "null, cleared_at bigint)",
    "create index alarms_by_connection on alarms (connection_id, id)",
    "create index audit_by_time on audit (at)",
};

const std::vector<std::string> kHealth = {
    "create table health_blocks (connection_id text not null, start bigint not null, seq bigint "
    "not null, through_seq bigint not null, boot_id text not null, monotonic_ns bigint not null, "
    "longest_outage_us bigint not null, longest_recovery_us bigint not null, body text not null, "
    "primary key (connection_id, start, seq))",
    "create table clock_steps (number bigint primary key, at bigint not null, step_us bigint not "
    "null, boot_id text not null)",
};

const std::vector<std::string> kCertificates = {
    "create table certificates (connection_id text not null, sha256 text not null, state text not "
    "null, pem text not null, code text not null, message text not null, first_seen bigint not "
    "null, last_seen bigint not null, decided_by text not null, decided_at bigint, primary key "
    "(connection_id, sha256))",
};

const std::vector<std::string> kFunctionCare = {
    "alter table functions add column idempotent bigint",
    "alter table functions add column expect_ms bigint not null default 0",
};

// What a version is besides its nodes; drafts; the input of a run that can be run again; the last
// record that failed in each node. A draft that was deployed or thrown away leaves its row with an
// empty document: its number is not used again.
const std::vector<std::string> kDraftsAndInputs = {
    "alter table pipeline_versions add column head text not null default '{}'",
    "create table pipeline_drafts (pipeline_id text primary key, version bigint not null, "
    "base_version bigint not null, document text not null, actor text not null, at bigint not "
    "null)",
    "alter table runs add column input text not null default ''",
    "create table pipeline_failures (pipeline_id text not null, node_id text not null, error_class "
    "text not null, code text not null, message text not null, at bigint not null, input text not "
    "null, primary key (pipeline_id, node_id))",
};

const std::vector<std::string> kMaintenance = {
    "alter table connections add column suspend_then text not null default ''",
    "alter table connections add column suspend_window text not null default ''",
    // What an end of a suspension meant before it could be chosen.
    "update connections set suspend_then = 'resumeAndStart' where intent = 'suspended'",
    "create table maintenance_windows (id text primary key, version bigint not null, name text not "
    "null unique, document text not null, applied_from bigint, created_at bigint not null, "
    "updated_at bigint not null)",
};

const std::vector<std::string> kNotices = {
    "create table notices (id text primary key, version bigint not null, name text not null "
    "unique, enabled bigint not null, document text not null, created_at bigint not null, "
    "updated_at bigint not null, delivered bigint not null, failed bigint not null, dropped bigint "
    "not null, last_delivery_at bigint)",
    "create table notice_outbox (id text primary key, notice_id text not null, body text not null, "
    "created_at bigint not null)",
    "create index notice_outbox_by_notice on notice_outbox (notice_id, created_at)",
};

const std::vector<std::string> kConnectionVersions = {
    "create table connection_versions (connection_id text not null, version bigint not null, name "
    "text not null, description text not null, labels text not null, settings text not null, "
    "reconnect text not null, autostart bigint not null, changed_secrets text not null, actor text "
    "not null, at bigint not null, primary key (connection_id, version))",
    // What there is becomes the first version that can be gone back to.
    "insert into connection_versions (connection_id, version, name, description, labels, settings, "
    "reconnect, autostart, changed_secrets, actor, at) select id, version, name, description, "
    "labels, settings, reconnect, autostart, '[]', '', updated_at from connections",
};

Result<std::int64_t> current_version(soci::session& sql) {
  auto made = execute(
      sql,
      "create table if not exists schema_version (number bigint primary key, at bigint not null)");
  if (!made) return made;
  auto found = select_number(sql, "select max(number) from schema_version");
  if (!found) return fail(std::move(found.error()));
  return found->value_or(0);
}

Result<void> apply(soci::session& sql, const Migration& step, UtcTime now) {
  TRIBUTARY_TRY(sqlite::run(sql, "begin immediate"));
  for (const std::string& statement : step.statements) {
    TRIBUTARY_TRY(execute(sql, statement));
  }
  TRIBUTARY_TRY(execute(sql, "insert into schema_version (number, at) values (:number, :at)",
                        {step.number, now}));
  return sqlite::run(sql, "commit");
}

}  // namespace

const std::vector<Migration>& migrations() {
  static const std::vector<Migration> steps = {
      {1, kFirstTables},  {2, kAlarms},          {3, kHealth},
      {4, kMaintenance},  {5, kNotices},         {6, kCertificates},
      {7, kFunctionCare}, {8, kDraftsAndInputs}, {9, kConnectionVersions}};
  return steps;
}

Result<void> migrate(soci::session& sql, std::span<const Migration> steps, UtcTime now) {
  auto version = current_version(sql);
  if (!version) return fail(std::move(version.error()));
  const int newest = steps.empty() ? 0 : steps.back().number;
  if (*version > newest) {
    return fail(ErrorClass::kInternal, "store_too_new",
                fmt::format("The data directory was written by a later version (tables of step {}, "
                            "this version knows {}).",
                            *version, newest),
                "Run that version or a later one, or restore a backup made with this one.");
  }
  for (const Migration& step : steps) {
    if (step.number <= *version) continue;
    auto applied = apply(sql, step, now);
    if (applied) continue;
    if (sqlite::in_transaction(sql)) (void)sqlite::run(sql, "rollback");
    return applied;
  }
  return {};
}

}  // namespace tributary::store
