#include "store/health_rows.hpp"

#include "store/query.hpp"
#include "store/repositories.hpp"

namespace tributary::store {

namespace {

const std::string kColumns =
    "connection_id, start, seq, through_seq, boot_id, monotonic_ns, longest_outage_us, "
    "longest_recovery_us, body";

HealthBlockRow read_block(Columns& columns) {
  HealthBlockRow row;
  row.connection_id = columns.text();
  row.start = columns.time();
  row.seq = columns.number();
  row.through_seq = columns.number();
  row.boot_id = columns.text();
  row.monotonic_ns = columns.number();
  row.longest_outage_us = columns.number();
  row.longest_recovery_us = columns.number();
  row.body = columns.text();
  return row;
}

ClockStepRow read_step(Columns& columns) {
  ClockStepRow row;
  row.at = columns.time();
  row.step_us = columns.number();
  row.boot_id = columns.text();
  return row;
}

BootRow read_boot(Columns& columns) {
  BootRow row;
  row.boot_id = columns.text();
  row.at = columns.time();
  row.monotonic_ns = columns.number();
  return row;
}

}  // namespace

Result<void> HealthBlocks::put(soci::session& sql, const HealthBlockRow& row) {
  TRIBUTARY_TRY(execute(
      sql,
      "insert into health_blocks (" + kColumns +
          ") values (:connection_id, :start, :seq, :through_seq, :boot_id, :monotonic_ns, "
          ":longest_outage_us, :longest_recovery_us, :body) on conflict (connection_id, start, "
          "seq) do update set through_seq = excluded.through_seq, boot_id = excluded.boot_id, "
          "monotonic_ns = excluded.monotonic_ns, longest_outage_us = excluded.longest_outage_us, "
          "longest_recovery_us = excluded.longest_recovery_us, body = excluded.body",
      {row.connection_id, row.start, row.seq, row.through_seq, row.boot_id, row.monotonic_ns,
       row.longest_outage_us, row.longest_recovery_us, row.body}));
  return {};
}

Result<std::optional<HealthBlockRow>> HealthBlocks::newest(soci::session& sql,
                                                           const std::string& connection_id) {
  return select_one(sql,
                    "select " + kColumns +
                        " from health_blocks where connection_id = :id order by start desc, seq "
                        "desc limit 1",
                    {connection_id}, &read_block);
}

Result<std::optional<HealthBlockRow>> HealthBlocks::before(soci::session& sql,
                                                           const std::string& connection_id,
                                                           UtcTime time) {
  return select_one(sql,
                    "select " + kColumns +
                        " from health_blocks where connection_id = :id and start < :time order by "
                        "start desc, seq desc limit 1",
                    {connection_id, time}, &read_block);
}

Result<void> HealthBlocks::before_for_all(
    soci::session& sql, UtcTime time,
    const std::function<void(const std::string& id, const std::string& body)>& take) {
  // In order of id the steps into the key go through its pages once, from left to right.
  return for_each_row(
      sql,
      "select c.id, coalesce((select b.body from health_blocks b where b.connection_id = c.id and "
      "b.start < :time order by b.start desc, b.seq desc limit 1), '') from connections c order "
      "by c.id",
      {time}, [&](Columns& columns) {
        const std::string id = columns.text();
        const std::string body = columns.text();
        if (!body.empty()) take(id, body);
      });
}

Result<std::vector<HealthBlockRow>> HealthBlocks::range(soci::session& sql,
                                                        const std::string& connection_id,
                                                        std::int64_t after_seq, UtcTime to,
                                                        std::size_t limit) {
  return select(sql,
                "select " + kColumns +
                    " from health_blocks where connection_id = :id and seq > :after and start < "
                    ":to_time order by start, seq limit :limit",
                {connection_id, after_seq, to, limit}, &read_block);
}

Result<HealthBlocks::Between> HealthBlocks::between(soci::session& sql,
                                                    const std::string& connection_id,
                                                    std::int64_t after_seq,
                                                    std::int64_t before_seq) {
  Between found;
  // As text: SOCI reads the type of a number from its column's declaration, and an expression has
  // none.
  auto done = for_each_row(
      sql,
      "select cast(coalesce(max(longest_outage_us), -1) as text), "
      "cast(coalesce(max(longest_recovery_us), -1) as text), coalesce(cast(min(start) as text), "
      "'') from health_blocks where connection_id = :id and seq > :after and seq < :before",
      {connection_id, after_seq, before_seq}, [&](Columns& columns) {
        found.longest_outage_us = std::stoll(columns.text());
        found.longest_recovery_us = std::stoll(columns.text());
        const std::string start = columns.text();
        if (!start.empty()) found.first_start = from_micros(std::stoll(start));
      });
  if (!done) return fail(std::move(done.error()));
  return found;
}

Result<void> HealthBlocks::remove(soci::session& sql, const std::string& connection_id) {
  TRIBUTARY_TRY(
      execute(sql, "delete from health_blocks where connection_id = :id", {connection_id}));
  return {};
}

Result<void> ClockSteps::append(soci::session& sql, const ClockStepRow& row) {
  TRIBUTARY_TRY(execute(sql,
                        "insert into clock_steps (number, at, step_us, boot_id) values ((select "
                        "coalesce(max(number), 0) + 1 from clock_steps), :at, :step_us, :boot_id)",
                        {row.at, row.step_us, row.boot_id}));
  return {};
}

Result<std::vector<ClockStepRow>> ClockSteps::range(soci::session& sql, UtcTime from, UtcTime to,
                                                    std::size_t limit) {
  return select(sql,
                "select at, step_us, boot_id from clock_steps where at >= :from_time and at < "
                ":to_time order by number limit :limit",
                {from, to, limit}, &read_step);
}

Result<void> ClockSteps::expire(soci::session& sql, UtcTime before) {
  TRIBUTARY_TRY(execute(sql, "delete from clock_steps where at < :before", {before}));
  return {};
}

Result<std::vector<BootRow>> Boots::all(soci::session& sql) {
  return select(sql, "select boot_id, at, monotonic_ns from boots order by number", {}, &read_boot);
}

Result<void> Boots::expire(soci::session& sql, UtcTime before) {
  TRIBUTARY_TRY(execute(
      sql, "delete from boots where at < :before and number < (select max(number) from boots) - 1",
      {before}));
  return {};
}

Result<std::optional<std::string>> HistoryEnds::next_connection(soci::session& sql,
                                                                const std::string& after) {
  std::optional<std::string> id;
  auto done = for_each_row(
      sql,
      "select connection_id from history where connection_id > :after order by connection_id "
      "limit 1",
      {after}, [&](Columns& columns) { id = columns.text(); });
  if (!done) return fail(std::move(done.error()));
  return id;
}

Result<bool> HistoryEnds::connection_exists(soci::session& sql, const std::string& connection_id) {
  auto found =
      select_number(sql, "select count(*) from connections where id = :id", {connection_id});
  if (!found) return fail(std::move(found.error()));
  return found->value_or(0) > 0;
}

Result<std::int64_t> HistoryEnds::remove_before(soci::session& sql,
                                                const std::string& connection_id, std::int64_t seq,
                                                std::size_t limit) {
  auto first =
      select_number(sql, "select min(seq) from history where connection_id = :id", {connection_id});
  if (!first) return fail(std::move(first.error()));
  if (!*first) return 0;
  const std::int64_t end = std::min(seq, **first + static_cast<std::int64_t>(limit));
  return execute(sql, "delete from history where connection_id = :id and seq < :seq",
                 {connection_id, end});
}

}  // namespace tributary::store
