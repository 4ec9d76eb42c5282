// What is stored, as plain structs. Times are UTC microseconds; documents are JSON text in the
// table, Json here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "model/json.hpp"

namespace tributary::store {

struct ConnectionRow {
  std::string id;
  std::int64_t version = 1;  // the ETag
  std::string name;          // unique
  std::string type;
  std::string description;
  Json labels;
  Json settings;
  Json reconnect;
  bool autostart = false;
  // Intent (lifecycle §1), written by people only.
  std::string intent = "stopped";  // "stopped" | "running" | "suspended"
  std::string suspend_reason;
  std::string suspended_by;
  std::optional<UtcTime> suspended_at;
  std::optional<UtcTime> suspended_until;
  std::string suspend_then;    // "resume" | "resumeAndStart"; empty while not suspended
  std::string suspend_window;  // id of the maintenance window that suspended it; empty: a person
  UtcTime created_at;
  UtcTime updated_at;
};

// A sealed secret (src/secrets); `sealed` is opaque here.
struct SecretRow {
  std::string connection_id;
  std::string field;
  std::string sealed;
  std::int64_t version = 1;
  UtcTime changed_at;
};

struct FunctionRow {
  std::string id;
  std::int64_t version = 1;
  std::string connection_id;
  std::string name;  // unique within the connection
  std::string type;
  std::string description;
  Json settings;
  bool enabled = true;
  UtcTime created_at;
  UtcTime updated_at;
  // Whether a call whose outcome is unknown may be repeated; absent: as its type says.
  std::optional<bool> idempotent{};
  // A value is expected at least this often ("freshness"); 0: learnt.
  std::int64_t expect_ms = 0;
};

// One transition of one connection. Append-only; seq is dense per connection; `to` of a row is
// `from` of the next.
struct HistoryRow {
  std::string connection_id;
  std::int64_t seq = 0;
  std::int64_t epoch = 0;
  std::string from;  // empty on the first row
  std::string to;    // one of the seven, or "Unknown"
  std::string cause_class;
  std::string cause_code;
  std::string cause_message;
  std::string note;  // "created", "boot", "start", "stop", "restart", "suspended: …", "maintenance"
  std::string actor;  // user or token name; empty: the hub itself
  UtcTime at;
  std::int64_t monotonic_ns = 0;
  std::string boot_id;
};

// A condition that wants a person's eye; see connect/alarms.hpp.
struct AlarmRow {
  std::string id;             // made of the time: later ones sort behind
  std::string connection_id;  // empty: the hub itself
  std::string kind;
  std::string subject;
  std::string severity;  // "info" | "warning" | "error"
  std::string message;
  UtcTime raised_at;
  std::optional<UtcTime> cleared_at;  // absent while active
};

// Planned maintenance; see connect/maintenance/windows.hpp.
struct MaintenanceWindowRow {
  std::string id;
  std::int64_t version = 1;
  std::string name;  // unique
  Json document;     // everything else that was posted
  // The start of the last occurrence that was carried out: what a person did to a connection since
  // is left alone.
  std::optional<UtcTime> applied_from;
  UtcTime created_at;
  UtcTime updated_at;
};

struct PipelineRow {
  std::string id;
  std::int64_t version = 1;
  std::string name;
  std::string description;
  Json labels;
  Json document;  // nodes, edges, history and everything else that was posted
  bool enabled = false;
  UtcTime created_at;
  UtcTime updated_at;
};

struct PipelineVersionRow {
  std::string pipeline_id;
  std::int64_t version = 1;
  Json document;
  std::string actor;
  UtcTime at;
  Json head;  // name, description, labels; empty for versions of before they were kept
};

// A pipeline that is being edited beside the one that runs.
struct PipelineDraftRow {
  std::string pipeline_id;
  std::int64_t version = 0;       // its ETag; goes on from draft to draft
  std::int64_t base_version = 0;  // of the pipeline, when the draft was begun or brought up to date
  Json document = Json::null();   // as for POST /pipelines; null: there is no draft
  std::string actor;
  UtcTime at;
};

// The last record that failed in a node.
struct PipelineFailureRow {
  std::string pipeline_id;
  std::string node_id;
  std::string error_class;
  std::string code;
  std::string message;
  UtcTime at;
  Json input;  // bounded (orchestrate: kMaxKeptInputBytes)
};

struct RunRow {
  std::string id;
  std::string pipeline_id;
  std::string status;  // "running" | "completed" | "completed_with_errors" | "failed" | "cancelled"
  std::string trigger;
  UtcTime started_at;
  std::optional<UtcTime> ended_at;
  std::int64_t records_in = 0;
  std::int64_t records_out = 0;
  std::int64_t errors = 0;
  Json detail;
  // What it was given, {trigger, records}, to run it again; null when it was not kept. Written, not
  // read with the row: see Runs::input().
  Json input = Json::null();
  bool input_kept = false;
};

// Which runs of a pipeline; empty members mean any.
struct RunFilter {
  std::string status;
  std::string trigger;
  std::optional<UtcTime> from, to;  // started_at: from <= started_at < to
};

struct UserRow {
  std::string id;
  std::string username;
  std::string password_hash;  // Argon2id, libsodium's string form
  std::string role;
  UtcTime created_at;
};

struct TokenRow {
  std::string id;
  std::string name;
  std::string hash;  // SHA-256 of the token, hex
  std::string role;
  UtcTime created_at;
  std::optional<UtcTime> expires_at;
  std::optional<UtcTime> last_used_at;
};

struct SessionRow {
  std::string hash;  // SHA-256 of the cookie, hex
  std::string user_id;
  UtcTime created_at;
  UtcTime last_seen_at;
};

struct AuditRow {
  std::int64_t seq = 0;
  UtcTime at;
  std::string actor;
  std::string action;  // "connection.suspend"
  std::string target;
  Json detail;
};

}  // namespace tributary::store
