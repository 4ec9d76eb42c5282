// Queries, one struct of static functions per table, for use inside Store::write and Store::read.
// Each runs in the caller's transaction. Errors: kFunction "not_found", "name_taken",
// "version_conflict"; store errors pass through.
#pragma once

#include "base/error.hpp"
#include "store/rows.hpp"

namespace soci {
class session;
}

namespace tributary::store {

struct Connections {
  static Result<void> insert(soci::session& sql, const ConnectionRow& row);
  // Replaces the row except intent and suspension, which belong to set_intent(): an edit that was
  // under way must not undo what a person commanded meanwhile. The version must be one above the
  // stored one ("version_conflict" otherwise).
  static Result<void> update(soci::session& sql, const ConnectionRow& row);
  // Intent and suspension only; the version stays.
  static Result<void> set_intent(soci::session& sql, const ConnectionRow& row);
  // With its functions and secrets; history stays, as a tombstone.
  static Result<void> remove(soci::session& sql, const std::string& id);
  static Result<std::vector<ConnectionRow>> all(soci::session& sql);
};

struct MaintenanceWindows {
  static Result<void> insert(soci::session& sql, const MaintenanceWindowRow& row);
  static Result<void> update(soci::session& sql, const MaintenanceWindowRow& row);
  // The version stays.
  static Result<void> set_applied(soci::session& sql, const std::string& id, UtcTime from);
  static Result<void> remove(soci::session& sql, const std::string& id);
  static Result<std::vector<MaintenanceWindowRow>> all(soci::session& sql);
};

struct Secrets {
  static Result<void> put(soci::session& sql, const SecretRow& row);
  static Result<void> remove(soci::session& sql, const std::string& connection_id,
                             const std::string& field);
  static Result<std::vector<SecretRow>> all(soci::session& sql);
};

struct Functions {
  static Result<void> insert(soci::session& sql, const FunctionRow& row);
  static Result<void> update(soci::session& sql, const FunctionRow& row);
  static Result<void> remove(soci::session& sql, const std::string& id);
  static Result<std::vector<FunctionRow>> all(soci::session& sql);
};

struct History {
  static Result<void> append(soci::session& sql, const HistoryRow& row);
  // The newest row of each connection.
  static Result<std::vector<HistoryRow>> last_rows(soci::session& sql);
  // Rows with from <= at < to in order of seq, starting after seq `after`, at most `limit`.
  static Result<std::vector<HistoryRow>> range(soci::session& sql, const std::string& connection_id,
                                               UtcTime from, UtcTime to, std::int64_t after,
                                               std::size_t limit);
  // Liveness of the hub: one row per boot, updated every 5 s.
  static Result<void> heartbeat(soci::session& sql, const std::string& boot_id, UtcTime at,
                                std::int64_t monotonic_ns);
};

struct Alarms {
  static Result<void> put(soci::session& sql, const AlarmRow& row);  // insert or replace
  // Active ones of an earlier run are over since `at`.
  static Result<void> clear_active(soci::session& sql, UtcTime at);
  // Newest first, of one connection or of all (empty); `before` is the id to continue below.
  static Result<std::vector<AlarmRow>> list(soci::session& sql, const std::string& connection_id,
                                            const std::string& before, std::size_t limit);
  // Cleared ones that ended before `time`.
  static Result<void> expire(soci::session& sql, UtcTime before);
};

struct Pipelines {
  static Result<void> insert(soci::session& sql, const PipelineRow& row, const std::string& actor);
  // Also writes the version row.
  static Result<void> update(soci::session& sql, const PipelineRow& row, const std::string& actor);
  static Result<void> set_enabled(soci::session& sql, const std::string& id, bool enabled);
  static Result<void> remove(soci::session& sql, const std::string& id);
  static Result<std::vector<PipelineRow>> all(soci::session& sql);
  static Result<std::vector<PipelineVersionRow>> versions(soci::session& sql,
                                                          const std::string& pipeline_id);
  static Result<std::optional<PipelineVersionRow>> find_version(soci::session& sql,
                                                                const std::string& pipeline_id,
                                                                std::int64_t version);
};

struct PipelineDrafts {
  // Insert or replace.
  static Result<void> put(soci::session& sql, const PipelineDraftRow& row);
  // The draft goes, its number stays.
  static Result<void> clear(soci::session& sql, const std::string& pipeline_id);
  static Result<std::vector<PipelineDraftRow>> all(soci::session& sql);
};

struct PipelineFailures {
  // Insert or replace.
  static Result<void> put(soci::session& sql, const PipelineFailureRow& row);
  static Result<void> remove(soci::session& sql, const std::string& pipeline_id,
                             const std::string& node_id);
  static Result<std::vector<PipelineFailureRow>> all(soci::session& sql);
};

struct Runs {
  // Insert or replace. A row that is replaced without an input keeps the one it has.
  static Result<void> put(soci::session& sql, const RunRow& row);
  static Result<std::optional<RunRow>> find(soci::session& sql, const std::string& id);
  // What the run was given; null when it was not kept.
  static Result<Json> input(soci::session& sql, const std::string& id);
  // Newest first; `before` is the id to continue below, empty for the start.
  static Result<std::vector<RunRow>> list(soci::session& sql, const std::string& pipeline_id,
                                          const std::string& before, std::size_t limit,
                                          const RunFilter& filter = {});
  // Keeps the newest `keep` of a pipeline, and of these the ones that started at `oldest` or later.
  static Result<void> trim(soci::session& sql, const std::string& pipeline_id, std::size_t keep,
                           UtcTime oldest);
  // Rows of runs that were at work when the hub ended become "cancelled", at `at`.
  static Result<void> end_running(soci::session& sql, UtcTime at);
};

struct Users {
  static Result<void> insert(soci::session& sql, const UserRow& row);
  static Result<std::optional<UserRow>> find_by_name(soci::session& sql,
                                                     const std::string& username);
  static Result<std::vector<UserRow>> all(soci::session& sql);
  static Result<void> set_password_hash(soci::session& sql, const std::string& id,
                                        const std::string& hash);
};

struct Tokens {
  static Result<void> insert(soci::session& sql, const TokenRow& row);
  static Result<void> remove(soci::session& sql, const std::string& id);
  static Result<std::vector<TokenRow>> all(soci::session& sql);
  static Result<void> touch(soci::session& sql, const std::string& id, UtcTime at);
};

struct Sessions {
  static Result<void> put(soci::session& sql, const SessionRow& row);
  static Result<void> remove(soci::session& sql, const std::string& hash);
  static Result<std::vector<SessionRow>> all(soci::session& sql);
};

struct Audit {
  // Sets seq to the next number.
  static Result<void> append(soci::session& sql, AuditRow row);
  // Newest first, below seq `before` (0: the start).
  static Result<std::vector<AuditRow>> list(soci::session& sql, std::int64_t before,
                                            std::size_t limit);
};

// Answers of POST requests by Idempotency-Key, kept for 24 h.
struct IdempotencyRow {
  std::string key;  // principal + ":" + key
  std::string fingerprint;
  int status = 0;
  std::string body;
  UtcTime at;
};
struct Idempotency {
  static Result<std::optional<IdempotencyRow>> find(soci::session& sql, const std::string& key);
  static Result<void> put(soci::session& sql, const IdempotencyRow& row);
  static Result<void> expire(soci::session& sql, UtcTime before);
};

}  // namespace tributary::store
