#include "connectors/postgresql/src/errors.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>

namespace tributary::connectors::postgresql {
namespace {

struct Row {
  std::string_view state;  // five characters, or the two of a class
  ErrorClass error_class;
  std::string_view code;
  std::string_view hint;
  std::string_view pointer;
};

constexpr std::string_view kLater = "It will be tried again.";

// Exact codes first, then classes.
constexpr auto kRows = std::to_array<Row>({
    {"08P01", ErrorClass::kTransient, "protocol_error", "Is this the port of a PostgreSQL server?",
     "/settings/port"},
    {"22001", ErrorClass::kFunction, "text_too_long", "Shorten the text, or widen the column.", ""},
    {"22003", ErrorClass::kFunction, "number_out_of_range",
     "Give the column a wider type, or check the value.", ""},
    {"22007", ErrorClass::kFunction, "invalid_time", "Write times as 2026-11-22T10:00:00.123Z.",
     ""},
    {"22008", ErrorClass::kFunction, "invalid_time", "Write times as 2026-11-22T10:00:00.123Z.",
     ""},
    {"22012", ErrorClass::kFunction, "division_by_zero", "", ""},
    {"22021", ErrorClass::kFunction, "invalid_utf8", "The text is not valid UTF-8.", ""},
    {"22P02", ErrorClass::kFunction, "invalid_value",
     "The text is not a value of the column's type.", ""},
    {"22P05", ErrorClass::kFunction, "invalid_character",
     "The column cannot store a character of the text (\\u0000, for example).", ""},
    {"23502", ErrorClass::kFunction, "not_null_violation",
     "Give the field a value, or the column a default.", ""},
    {"23503", ErrorClass::kFunction, "foreign_key_violation",
     "The row that it refers to must exist first.", ""},
    {"23505", ErrorClass::kFunction, "unique_violation",
     "A row with this key exists. Use the mode upsert to update it.", ""},
    {"23514", ErrorClass::kFunction, "check_violation", "", ""},
    {"25006", ErrorClass::kStandby, "read_only",
     "The server became a standby, or was made read-only: the next one is looked for.", ""},
    {"28P01", ErrorClass::kIdentity, "invalid_password",
     "Check the user name and enter the password again.", "/secrets/password"},
    {"3D000", ErrorClass::kConfiguration, "unknown_database", "Correct the name of the database.",
     "/settings/database"},
    {"40001", ErrorClass::kBusy, "serialization_failure", kLater, ""},
    {"40003", ErrorClass::kTransient, "completion_unknown", kLater, ""},
    {"40P01", ErrorClass::kBusy, "deadlock_detected",
     "Write rows that others write, too, in the same order everywhere.", ""},
    {"42501", ErrorClass::kFunction, "not_allowed",
     "Grant the connection's user what the statement needs.", "/settings/username"},
    {"42601", ErrorClass::kFunction, "syntax_error",
     "Correct the SQL. One statement is run, not several.", ""},
    {"42703", ErrorClass::kFunction, "unknown_column", "", ""},
    {"42883", ErrorClass::kFunction, "unknown_function",
     "Correct the name, or cast the values: ((name))::integer.", ""},
    {"42P01", ErrorClass::kFunction, "unknown_table",
     "Create the table, or correct its name; capitals count, and so does the schema.", ""},
    {"42P10", ErrorClass::kFunction, "no_unique_index",
     "Upsert needs a primary key or a unique index of exactly the key columns.",
     "/settings/keyColumns"},
    {"42P18", ErrorClass::kFunction, "unknown_parameter_type",
     "Say what the value is: ((name))::text.", ""},
    {"53100", ErrorClass::kBusy, "disk_full", "The server's disk is full.", ""},
    {"53200", ErrorClass::kBusy, "server_out_of_memory", kLater, ""},
    {"53300", ErrorClass::kBusy, "too_many_connections",
     "The server's limit of sessions is reached (max_connections, or that of the role).", ""},
    {"55P03", ErrorClass::kBusy, "lock_not_available", kLater, ""},
    {"57014", ErrorClass::kBusy, "statement_timeout",
     "The statement took too long: does it wait for a lock, or does it need an index? The "
     "connection's request timeout decides.",
     "/settings/requestTimeoutMs"},
    {"57P01", ErrorClass::kTransient, "server_shutting_down", kLater, ""},
    {"57P02", ErrorClass::kTransient, "server_crashed", kLater, ""},
    {"57P03", ErrorClass::kTransient, "server_starting", kLater, ""},
    {"57P04", ErrorClass::kConfiguration, "unknown_database", "The database was dropped.",
     "/settings/database"},
    {"08", ErrorClass::kTransient, "connection_failure", kLater, ""},
    {"28", ErrorClass::kIdentity, "login_refused",
     "May this user log in to this database from here, and in this way (pg_hba.conf)? Does the "
     "server ask for TLS?",
     "/settings/username"},
    {"53", ErrorClass::kBusy, "server_at_its_limits", kLater, ""},
    {"57P", ErrorClass::kTransient, "session_ended", kLater, ""},
    {"58", ErrorClass::kBusy, "server_io_error", "The server's log says more.", ""},
});

const Row* find_row(std::string_view state) {
  for (const std::size_t length : {5U, 3U, 2U}) {
    const auto found = std::ranges::find(kRows, state.substr(0, length), &Row::state);
    if (found != kRows.end()) return &*found;
  }
  return nullptr;
}

std::string field(const pg_result* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text != nullptr ? text : "";
}

std::string sentence(const ServerError& error, std::string_view peer, Purpose purpose) {
  std::string text = purpose == Purpose::kLogin ? fmt::format("{} refused the login: ", peer) : "";
  if (!error.column.empty()) text += fmt::format("Column {}: ", error.column);
  text += error.message;
  if (!error.detail.empty()) text += fmt::format(" ({})", error.detail);
  return text + fmt::format(" [{}]", error.sqlstate);
}

// Of what could not be done now a query says so at once, while a write can wait for a better time.
bool only_this_call(const Row& row, Purpose purpose) {
  if (purpose == Purpose::kWrite || purpose == Purpose::kLogin) return false;
  return row.error_class == ErrorClass::kBusy ||
         (row.error_class == ErrorClass::kStandby && purpose == Purpose::kQuery);
}

}  // namespace

ServerError ServerError::of(const pg_result* result) {
  ServerError error;
  error.severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  error.sqlstate = field(result, PG_DIAG_SQLSTATE);
  error.message = field(result, PG_DIAG_MESSAGE_PRIMARY);
  error.detail = field(result, PG_DIAG_MESSAGE_DETAIL);
  error.hint = field(result, PG_DIAG_MESSAGE_HINT);
  error.column = field(result, PG_DIAG_COLUMN_NAME);
  error.constraint = field(result, PG_DIAG_CONSTRAINT_NAME);
  error.context = field(result, PG_DIAG_CONTEXT);
  error.position = std::atoi(field(result, PG_DIAG_STATEMENT_POSITION).c_str());
  return error;
}

Error to_error(const ServerError& error, Purpose purpose, std::string_view peer) {
  const Row* row = find_row(error.sqlstate);
  Error out;
  out.message = sentence(error, peer, purpose);
  if (row != nullptr) {
    out.error_class = row->error_class;
    out.code = row->code;
    out.hint = row->hint;
    out.pointer = row->pointer;
    if (only_this_call(*row, purpose)) out.error_class = ErrorClass::kFunction;
  } else {
    out.error_class = ErrorClass::kFunction;
    out.code = "sqlstate_" + error.sqlstate;
    std::ranges::transform(out.code, out.code.begin(), [](char c) {
      return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    });
  }
  const bool read_only = error.sqlstate == "25006" && purpose == Purpose::kQuery;
  if (read_only) out.hint = "A query function only reads. Use postgresql.execute or write.";
  if (!error.hint.empty() && !read_only) out.hint = error.hint;
  // A session that the server ends, or a login that it refuses, is the connection's matter.
  if ((error.ends_session() || purpose == Purpose::kLogin) && !is_connection_error(out.error_class))
    out.error_class = ErrorClass::kTransient;
  return out;
}

Error protocol_error(std::string_view peer, std::string_view what) {
  return {ErrorClass::kTransient, "protocol_error", fmt::format("{} {}", peer, what),
          "Is this the port of a PostgreSQL server?", "/settings/port"};
}

Error closed(std::string_view peer, bool logged_in) {
  return {ErrorClass::kTransient, "connection_closed",
          logged_in ? fmt::format("{} closed the connection", peer)
                    : fmt::format("{} closed the connection without an answer", peer),
          logged_in ? "Did the server stop? Its log says why."
                    : "Is this the port of a PostgreSQL server, and does it listen for this "
                      "machine? Its log says why it closed."};
}

Error no_answer(std::string_view peer, std::string_view to_what) {
  return {ErrorClass::kTransient, "timeout",
          fmt::format("{} did not answer {} in time", peer, to_what),
          "Is the server overloaded, or the network path to it down?"};
}

Error tls_refused(std::string_view peer) {
  return {ErrorClass::kConfiguration, "tls_refused",
          fmt::format("{} offers no TLS, and the connection asks for it", peer),
          "Switch TLS on at the server (ssl = on), or off here. If it was on before, somebody on "
          "the way may be taking it out.",
          "/settings/tls/enabled"};
}

Error cleartext_password_refused(std::string_view peer) {
  return {ErrorClass::kConfiguration, "cleartext_password_refused",
          fmt::format("{} asks for the password as clear text, without TLS; it was not sent", peer),
          "Let the server use scram-sha-256 (pg_hba.conf), or switch TLS on.",
          "/settings/tls/enabled"};
}

Error cancelled() {
  return {ErrorClass::kCancelled, "cancelled", "The session was ended by the hub"};
}

}  // namespace tributary::connectors::postgresql
