#include "store/connection_versions.hpp"

#include "store/query.hpp"

namespace tributary::store {

namespace {

const std::string kColumns =
    "connection_id, version, name, description, labels, settings, reconnect, autostart, "
    "changed_secrets, actor, at";

ConnectionVersionRow read_version(Columns& columns) {
  ConnectionVersionRow row;
  row.connection_id = columns.text();
  row.version = columns.number();
  row.name = columns.text();
  row.description = columns.text();
  row.labels = columns.document();
  row.settings = columns.document();
  row.reconnect = columns.document();
  row.autostart = columns.flag();
  row.changed_secrets = columns.document();
  row.actor = columns.text();
  row.at = columns.time();
  return row;
}

}  // namespace

Result<void> ConnectionVersions::add(soci::session& sql, const ConnectionRow& row,
                                     const Json& changed_secrets, const std::string& actor) {
  TRIBUTARY_TRY(execute(sql,
                        "insert into connection_versions (" + kColumns +
                            ") values (:connection_id, :version, :name, :description, :labels, "
                            ":settings, :reconnect, :autostart, :changed_secrets, :actor, :at)",
                        {row.id, row.version, row.name, row.description, row.labels, row.settings,
                         row.reconnect, row.autostart, changed_secrets, actor, row.updated_at}));
  TRIBUTARY_TRY(execute(
      sql, "delete from connection_versions where connection_id = :id and version <= :oldest",
      {row.id, row.version - kMostConnectionVersions}));
  return {};
}

Result<void> ConnectionVersions::remove_all(soci::session& sql, const std::string& connection_id) {
  TRIBUTARY_TRY(
      execute(sql, "delete from connection_versions where connection_id = :id", {connection_id}));
  return {};
}

Result<std::vector<ConnectionVersionRow>> ConnectionVersions::all(
    soci::session& sql, const std::string& connection_id) {
  return select(sql,
                "select " + kColumns +
                    " from connection_versions where connection_id = :id order by version desc",
                {connection_id}, &read_version);
}

Result<std::optional<ConnectionVersionRow>> ConnectionVersions::find(
    soci::session& sql, const std::string& connection_id, std::int64_t version) {
  return select_one(sql,
                    "select " + kColumns +
                        " from connection_versions where connection_id = :id and version = "
                        ":version",
                    {connection_id, version}, &read_version);
}

}  // namespace tributary::store
