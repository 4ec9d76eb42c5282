#include "store/connection_versions.hpp"
#include "store/query.hpp"
#include "store/repositories.hpp"

namespace tributary::store {

namespace {

const std::string kConnectionColumns =
    "id, version, name, type, description, labels, settings, reconnect, autostart, intent, "
    "suspend_reason, suspended_by, "
    "suspended_at, suspended_until, suspend_then, suspend_window, created_at, updated_at";
const std::string kFunctionColumns =
    "id, version, connection_id, name, type, description, settings, enabled, created_at, "
    "updated_at, idempotent, expect_ms";

ConnectionRow read_connection(Columns& columns) {
  ConnectionRow row;
  row.id = columns.text();
  row.version = columns.number();
  row.name = columns.text();
  row.type = columns.text();
  row.description = columns.text();
  row.labels = columns.document();
  row.settings = columns.document();
  row.reconnect = columns.document();
  row.autostart = columns.flag();
  row.intent = columns.text();
  row.suspend_reason = columns.text();
  row.suspended_by = columns.text();
  row.suspended_at = columns.maybe_time();
  row.suspended_until = columns.maybe_time();
  row.suspend_then = columns.text();
  row.suspend_window = columns.text();
  row.created_at = columns.time();
  row.updated_at = columns.time();
  return row;
}

SecretRow read_secret(Columns& columns) {
  SecretRow row;
  row.connection_id = columns.text();
  row.field = columns.text();
  row.sealed = columns.text();
  row.version = columns.number();
  row.changed_at = columns.time();
  return row;
}

FunctionRow read_function(Columns& columns) {
  FunctionRow row;
  row.id = columns.text();
  row.version = columns.number();
  row.connection_id = columns.text();
  row.name = columns.text();
  row.type = columns.text();
  row.description = columns.text();
  row.settings = columns.document();
  row.enabled = columns.flag();
  row.created_at = columns.time();
  row.updated_at = columns.time();
  row.idempotent = columns.maybe_flag();
  row.expect_ms = columns.number();
  return row;
}

Result<void> check_connection_name(soci::session& sql, const ConnectionRow& row) {
  auto taken = select_number(
      sql, "select count(*) from connections where name = :name and id <> :id", {row.name, row.id});
  if (!taken) return fail(std::move(taken.error()));
  if (taken->value_or(0) == 0) return {};
  return fail(ErrorClass::kFunction, "name_taken",
              fmt::format("A connection named \"{}\" exists already.", row.name), "", "/name");
}

Result<void> check_function_name(soci::session& sql, const FunctionRow& row) {
  auto taken = select_number(sql,
                             "select count(*) from functions where connection_id = :connection and "
                             "name = :name and id <> :id",
                             {row.connection_id, row.name, row.id});
  if (!taken) return fail(std::move(taken.error()));
  if (taken->value_or(0) == 0) return {};
  return fail(ErrorClass::kFunction, "name_taken",
              fmt::format("This connection has a function named \"{}\" already.", row.name), "",
              "/name");
}

}  // namespace

Result<void> Connections::insert(soci::session& sql, const ConnectionRow& row) {
  TRIBUTARY_TRY(check_connection_name(sql, row));
  TRIBUTARY_TRY(execute(
      sql,
      "insert into connections (" + kConnectionColumns +
          ") values (:id, :version, :name, :type, :description, :labels, :settings, :reconnect, "
          ":autostart, :intent, :suspend_reason, :suspended_by, :suspended_at, :suspended_until, "
          ":suspend_then, :suspend_window, :created_at, :updated_at)",
      {row.id, row.version, row.name, row.type, row.description, row.labels, row.settings,
       row.reconnect, row.autostart, row.intent, row.suspend_reason, row.suspended_by,
       row.suspended_at, row.suspended_until, row.suspend_then, row.suspend_window, row.created_at,
       row.updated_at}));
  return {};
}

Result<void> Connections::update(soci::session& sql, const ConnectionRow& row) {
  auto stored = select_number(sql, "select version from connections where id = :id", {row.id});
  TRIBUTARY_TRY(check_version(std::move(stored), row.version, "connection"));
  TRIBUTARY_TRY(check_connection_name(sql, row));
  return expect_one(
      execute(sql,
              "update connections set version = :version, name = :name, type = :type, description "
              "= :description, labels = :labels, settings = :settings, reconnect = :reconnect, "
              "autostart = :autostart, created_at = :created_at, updated_at = :updated_at where id "
              "= :id",
              {row.version, row.name, row.type, row.description, row.labels, row.settings,
               row.reconnect, row.autostart, row.created_at, row.updated_at, row.id}),
      "This connection does not exist.");
}

Result<void> Connections::set_intent(soci::session& sql, const ConnectionRow& row) {
  return expect_one(
      execute(sql,
              "update connections set intent = :intent, suspend_reason = :suspend_reason, "
              "suspended_by = :suspended_by, suspended_at = :suspended_at, suspended_until = "
              ":suspended_until, suspend_then = :suspend_then, suspend_window = :suspend_window "
              "where id = :id",
              {row.intent, row.suspend_reason, row.suspended_by, row.suspended_at,
               row.suspended_until, row.suspend_then, row.suspend_window, row.id}),
      "This connection does not exist.");
}

Result<void> Connections::remove(soci::session& sql, const std::string& id) {
  TRIBUTARY_TRY(expect_one(execute(sql, "delete from connections where id = :id", {id}),
                           "This connection does not exist."));
  TRIBUTARY_TRY(execute(sql, "delete from functions where connection_id = :id", {id}));
  TRIBUTARY_TRY(execute(sql, "delete from secrets where connection_id = :id", {id}));
  return ConnectionVersions::remove_all(sql, id);
}

Result<std::vector<ConnectionRow>> Connections::all(soci::session& sql) {
  return select(sql, "select " + kConnectionColumns + " from connections order by id", {},
                &read_connection);
}

Result<void> Secrets::put(soci::session& sql, const SecretRow& row) {
  TRIBUTARY_TRY(
      execute(sql,
              "insert into secrets (connection_id, field, sealed, version, changed_at) "
              "values (:connection_id, :field, :sealed, :version, :changed_at) "
              "on conflict (connection_id, field) do update set sealed = excluded.sealed, "
              "version = excluded.version, changed_at = excluded.changed_at",
              {row.connection_id, row.field, row.sealed, row.version, row.changed_at}));
  return {};
}

Result<void> Secrets::remove(soci::session& sql, const std::string& connection_id,
                             const std::string& field) {
  return expect_one(
      execute(sql, "delete from secrets where connection_id = :connection_id and field = :field",
              {connection_id, field}),
      "This secret is not set.");
}

Result<std::vector<SecretRow>> Secrets::all(soci::session& sql) {
  return select(sql,
                "select connection_id, field, sealed, version, changed_at from secrets order by "
                "connection_id, field",
                {}, &read_secret);
}

Result<void> Functions::insert(soci::session& sql, const FunctionRow& row) {
  TRIBUTARY_TRY(check_function_name(sql, row));
  TRIBUTARY_TRY(execute(
      sql,
      "insert into functions (" + kFunctionColumns +
          ") values (:id, :version, :connection_id, :name, :type, :description, :settings, "
          ":enabled, :created_at, :updated_at, :idempotent, :expect_ms)",
      {row.id, row.version, row.connection_id, row.name, row.type, row.description, row.settings,
       row.enabled, row.created_at, row.updated_at, row.idempotent, row.expect_ms}));
  return {};
}

Result<void> Functions::update(soci::session& sql, const FunctionRow& row) {
  auto stored = select_number(sql, "select version from functions where id = :id", {row.id});
  TRIBUTARY_TRY(check_version(std::move(stored), row.version, "function"));
  TRIBUTARY_TRY(check_function_name(sql, row));
  return expect_one(
      execute(
          sql,
          "update functions set version = :version, connection_id = :connection_id, name = :name, "
          "type = :type, description = :description, settings = :settings, enabled = :enabled, "
          "created_at = :created_at, updated_at = :updated_at, idempotent = :idempotent, "
          "expect_ms = :expect_ms where id = :id",
          {row.version, row.connection_id, row.name, row.type, row.description, row.settings,
           row.enabled, row.created_at, row.updated_at, row.idempotent, row.expect_ms, row.id}),
      "This function does not exist.");
}

Result<void> Functions::remove(soci::session& sql, const std::string& id) {
  return expect_one(execute(sql, "delete from functions where id = :id", {id}),
                    "This function does not exist.");
}

Result<std::vector<FunctionRow>> Functions::all(soci::session& sql) {
  return select(sql, "select " + kFunctionColumns + " from functions order by id", {},
                &read_function);
}

}  // namespace tributary::store
