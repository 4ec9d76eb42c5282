#include "store/health_rows.hpp"
#include "store/newest_history.hpp"
#include "store/query.hpp"
#include "store/repositories.hpp"

namespace tributary::store {

namespace {

const std::string kColumns =
    "connection_id, seq, epoch, from_status, to_status, cause_class, cause_code, cause_message, "
    "note, actor, at, "
    "monotonic_ns, boot_id";

HistoryRow read_row(Columns& columns) {
  HistoryRow row;
  row.connection_id = columns.text();
  row.seq = columns.number();
  row.epoch = columns.number();
  row.from = columns.text();
  row.to = columns.text();
  row.cause_class = columns.text();
  row.cause_code = columns.text();
  row.cause_message = columns.text();
  row.note = columns.text();
  row.actor = columns.text();
  row.at = columns.time();
  row.monotonic_ns = columns.number();
  row.boot_id = columns.text();
  return row;
}

// The primary key refuses a number twice; this refuses a hole.
Result<void> check_dense(soci::session& sql, const HistoryRow& row) {
  auto last = select_number(sql, "select max(seq) from history where connection_id = :id",
                            {row.connection_id});
  if (!last) return fail(std::move(last.error()));
  if (!*last || **last + 1 == row.seq) return {};
  return fail(ErrorClass::kInternal, "history_gap",
              fmt::format("History row {} of connection {} does not follow row {}.", row.seq,
                          row.connection_id, **last));
}

}  // namespace

Result<void> History::append(soci::session& sql, const HistoryRow& row) {
  TRIBUTARY_TRY(check_dense(sql, row));
  TRIBUTARY_TRY(execute(
      sql,
      "insert into history (" + kColumns +
          ") values (:connection_id, :seq, :epoch, :from_status, :to_status, :cause_class, "
          ":cause_code, :cause_message, :note, :actor, :at, :monotonic_ns, :boot_id)",
      {row.connection_id, row.seq, row.epoch, row.from, row.to, row.cause_class, row.cause_code,
       row.cause_message, row.note, row.actor, row.at, row.monotonic_ns, row.boot_id}));
  return {};
}

Result<std::vector<HistoryRow>> History::last_rows(soci::session& sql) {
  // From each connection one step to the end of its key range, however long the histories are.
  return select(sql,
                "select " + kColumns +
                    " from connections c join history h on h.connection_id = c.id and h.seq = "
                    "(select max(l.seq) from history l where l.connection_id = c.id) order by c.id",
                {}, &read_row);
}

Result<std::vector<HistoryRow>> History::range(soci::session& sql, const std::string& connection_id,
                                               UtcTime from, UtcTime to, std::int64_t after,
                                               std::size_t limit) {
  return select(sql,
                "select " + kColumns +
                    " from history where connection_id = :id and at >= :from_time and at < "
                    ":to_time and seq > :after "
                    "order by seq limit :limit",
                {connection_id, from, to, after, limit}, &read_row);
}

Result<void> History::heartbeat(soci::session& sql, const std::string& boot_id, UtcTime at,
                                std::int64_t monotonic_ns) {
  TRIBUTARY_TRY(execute(
      sql,
      "insert into boots (number, boot_id, at, monotonic_ns) "
      "values ((select coalesce(max(number), 0) + 1 from boots), :boot_id, :at, :monotonic_ns) "
      "on conflict (boot_id) do update set at = excluded.at, monotonic_ns = excluded.monotonic_ns",
      {boot_id, at, monotonic_ns}));
  return {};
}

Result<std::optional<HistoryRow>> HistoryEnds::newest(soci::session& sql,
                                                      const std::string& connection_id) {
  return select_one(
      sql,
      "select " + kColumns + " from history where connection_id = :id order by seq desc limit 1",
      {connection_id}, &read_row);
}

Result<std::vector<HistoryRow>> HistoryEnds::after(soci::session& sql,
                                                   const std::string& connection_id,
                                                   std::int64_t after, std::size_t limit) {
  return select(sql,
                "select " + kColumns +
                    " from history where connection_id = :id and seq > :after order by seq limit "
                    ":limit",
                {connection_id, after, limit}, &read_row);
}

Result<std::vector<HistoryRow>> newest_history(soci::session& sql,
                                               const std::vector<std::string>& connection_ids,
                                               std::size_t of_each) {
  std::vector<HistoryRow> found;
  for (const std::string& id : connection_ids) {
    auto rows = select(sql,
                       "select " + kColumns +
                           " from history where connection_id = :id order by seq desc limit :limit",
                       {id, of_each}, &read_row);
    if (!rows) return fail(std::move(rows.error()));
    std::ranges::move(*rows, std::back_inserter(found));
  }
  return found;
}

}  // namespace tributary::store
