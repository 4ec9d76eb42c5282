#include "store/query.hpp"
#include "store/repositories.hpp"

namespace tributary::store {

namespace {

MaintenanceWindowRow read_window(Columns& columns) {
  MaintenanceWindowRow row;
  row.id = columns.text();
  row.version = columns.number();
  row.name = columns.text();
  row.document = columns.document();
  row.applied_from = columns.maybe_time();
  row.created_at = columns.time();
  row.updated_at = columns.time();
  return row;
}

Result<void> check_name(soci::session& sql, const MaintenanceWindowRow& row) {
  auto taken = select_number(
      sql, "select count(*) from maintenance_windows where name = :name and id <> :id",
      {row.name, row.id});
  if (!taken) return fail(std::move(taken.error()));
  if (taken->value_or(0) == 0) return {};
  return fail(ErrorClass::kFunction, "name_taken",
              fmt::format("A maintenance window named \"{}\" exists already.", row.name), "",
              "/name");
}

constexpr const char* kNoSuchWindow = "This maintenance window does not exist.";

}  // namespace

Result<void> MaintenanceWindows::insert(soci::session& sql, const MaintenanceWindowRow& row) {
  TRIBUTARY_TRY(check_name(sql, row));
  TRIBUTARY_TRY(execute(
      sql,
      "insert into maintenance_windows (id, version, name, document, applied_from, created_at, "
      "updated_at) values (:id, :version, :name, :document, :applied_from, :created_at, "
      ":updated_at)",
      {row.id, row.version, row.name, row.document, row.applied_from, row.created_at,
       row.updated_at}));
  return {};
}

Result<void> MaintenanceWindows::update(soci::session& sql, const MaintenanceWindowRow& row) {
  auto stored =
      select_number(sql, "select version from maintenance_windows where id = :id", {row.id});
  TRIBUTARY_TRY(check_version(std::move(stored), row.version, "maintenance window"));
  TRIBUTARY_TRY(check_name(sql, row));
  return expect_one(
      execute(sql,
              "update maintenance_windows set version = :version, name = :name, document = "
              ":document, applied_from = :applied_from, updated_at = :updated_at where id = :id",
              {row.version, row.name, row.document, row.applied_from, row.updated_at, row.id}),
      kNoSuchWindow);
}

Result<void> MaintenanceWindows::set_applied(soci::session& sql, const std::string& id,
                                             UtcTime from) {
  return expect_one(execute(sql,
                            "update maintenance_windows set applied_from = :applied_from where id "
                            "= :id",
                            {from, id}),
                    kNoSuchWindow);
}

Result<void> MaintenanceWindows::remove(soci::session& sql, const std::string& id) {
  return expect_one(execute(sql, "delete from maintenance_windows where id = :id", {id}),
                    kNoSuchWindow);
}

Result<std::vector<MaintenanceWindowRow>> MaintenanceWindows::all(soci::session& sql) {
  return select(sql,
                "select id, version, name, document, applied_from, created_at, updated_at from "
                "maintenance_windows order by id",
                {}, &read_window);
}

}  // namespace tributary::store
