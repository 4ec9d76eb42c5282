#include "store/query.hpp"
#include "store/repositories.hpp"

namespace tributary::store {

namespace {

AlarmRow read_alarm(Columns& columns) {
  AlarmRow row;
  row.id = columns.text();
  row.connection_id = columns.text();
  row.kind = columns.text();
  row.subject = columns.text();
  row.severity = columns.text();
  row.message = columns.text();
  row.raised_at = columns.time();
  row.cleared_at = columns.maybe_time();
  return row;
}

}  // namespace

Result<void> Alarms::put(soci::session& sql, const AlarmRow& row) {
  TRIBUTARY_TRY(
      execute(sql,
              "insert into alarms (id, connection_id, kind, subject, severity, message, raised_at, "
              "cleared_at) values (:id, :connection_id, :kind, :subject, :severity, :message, "
              ":raised_at, :cleared_at) on conflict (id) do update set severity = "
              "excluded.severity, message = excluded.message, cleared_at = excluded.cleared_at",
              {row.id, row.connection_id, row.kind, row.subject, row.severity, row.message,
               row.raised_at, row.cleared_at}));
  return {};
}

Result<void> Alarms::clear_active(soci::session& sql, UtcTime at) {
  TRIBUTARY_TRY(execute(sql, "update alarms set cleared_at = :at where cleared_at is null", {at}));
  return {};
}

Result<std::vector<AlarmRow>> Alarms::list(soci::session& sql, const std::string& connection_id,
                                           const std::string& before, std::size_t limit) {
  std::string where;
  std::vector<Bind> binds;
  if (!connection_id.empty()) {
    where += " and connection_id = :connection_id";
    binds.emplace_back(connection_id);
  }
  if (!before.empty()) {
    where += " and id < :before";
    binds.emplace_back(before);
  }
  binds.emplace_back(limit);
  return select(sql,
                "select id, connection_id, kind, subject, severity, message, raised_at, cleared_at "
                "from alarms where 1 = 1" +
                    where + " order by id desc limit :limit",
                binds, &read_alarm);
}

Result<void> Alarms::expire(soci::session& sql, UtcTime before) {
  TRIBUTARY_TRY(execute(sql, "delete from alarms where cleared_at < :before", {before}));
  return {};
}

}  // namespace tributary::store
