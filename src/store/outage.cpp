#include "store/outage.hpp"

#include "store/query.hpp"

namespace tributary::store {

namespace {

CauseCount read_cause(Columns& columns) {
  CauseCount count;
  count.cause_class = columns.text();
  count.code = columns.text();
  return count;
}

// One number about the rows of one cause. (Computed columns have no declared type, so they are read
// one by one.)
Result<std::int64_t> number_of(soci::session& sql, const std::string& what, const std::string& id,
                               std::int64_t after, const CauseCount& cause) {
  auto found = select_number(sql,
                             "select " + what +
                                 " from history where connection_id = :id and seq > :after and "
                                 "cause_class = :cause_class and cause_code = :cause_code",
                             {id, after, cause.cause_class, cause.code});
  if (!found) return fail(std::move(found.error()));
  return found->value_or(0);
}

Result<std::vector<CauseCount>> count_causes(soci::session& sql, const std::string& id,
                                             std::int64_t after) {
  auto causes = select(sql,
                       "select distinct cause_class, cause_code from history where connection_id = "
                       ":id and seq > :after and cause_code <> ''",
                       {id, after}, &read_cause);
  if (!causes) return causes;
  for (CauseCount& cause : *causes) {
    auto count = number_of(sql, "count(*)", id, after, cause);
    if (!count) return fail(std::move(count.error()));
    auto first = number_of(sql, "min(at)", id, after, cause);
    if (!first) return fail(std::move(first.error()));
    auto last = number_of(sql, "max(at)", id, after, cause);
    if (!last) return fail(std::move(last.error()));
    cause.count = *count;
    cause.first = from_micros(*first);
    cause.last = from_micros(*last);
  }
  std::ranges::sort(*causes, std::greater{}, &CauseCount::count);
  return causes;
}

AuditRow read_change(Columns& columns) {
  AuditRow row;
  row.seq = columns.number();
  row.at = columns.time();
  row.actor = columns.text();
  row.action = columns.text();
  row.target = columns.text();
  row.detail = columns.document();
  return row;
}

HistoryRow read_boot(Columns& columns) {
  HistoryRow row;
  row.seq = columns.number();
  row.at = columns.time();
  row.note = columns.text();
  return row;
}

}  // namespace

Result<std::optional<OutageRow>> Outages::present(soci::session& sql,
                                                  const std::string& connection_id) {
  auto boundary = select_number(
      sql,
      "select max(seq) from history where connection_id = :id and (to_status = 'Connected' or "
      "(to_status in ('Idle', 'Suspended') and note not in ('boot', 'shutdown')))",
      {connection_id});
  if (!boundary) return fail(std::move(boundary.error()));
  const std::int64_t after = boundary->value_or(0);
  auto since = select_number(sql,
                             "select min(at) from history where connection_id = :id and seq > "
                             ":after and to_status in ('Connecting', 'Disconnected', "
                             "'Reconnecting', 'Failed')",
                             {connection_id, after});
  if (!since) return fail(std::move(since.error()));
  if (!*since) return std::nullopt;
  OutageRow outage;
  outage.since = from_micros(**since);
  auto failures = select_number(sql,
                                "select count(*) from history where connection_id = :id and seq > "
                                ":after and to_status in ('Disconnected', 'Failed') and cause_code "
                                "<> ''",
                                {connection_id, after});
  if (!failures) return fail(std::move(failures.error()));
  outage.failures = failures->value_or(0);
  auto causes = count_causes(sql, connection_id, after);
  if (!causes) return fail(std::move(causes.error()));
  outage.causes = std::move(*causes);
  return outage;
}

Result<std::vector<AuditRow>> Outages::changes(soci::session& sql,
                                               const std::vector<std::string>& targets,
                                               UtcTime from, UtcTime to, std::size_t limit) {
  std::string list;
  std::vector<Bind> binds{from, to};
  for (std::size_t i = 0; i < targets.size(); ++i) {
    list += fmt::format("{}:target_{}", i == 0 ? "" : ", ", i);
    binds.emplace_back(targets[i]);
  }
  binds.emplace_back(limit);
  return select(sql,
                "select seq, at, actor, action, target, detail from audit where at >= :from_time "
                "and at <= :to_time and target in (" +
                    list + ") order by seq desc limit :limit",
                binds, &read_change);
}

Result<std::vector<HistoryRow>> Outages::boots(soci::session& sql, const std::string& connection_id,
                                               UtcTime from, UtcTime to) {
  return select(sql,
                "select seq, at, note from history where connection_id = :id and note = 'boot' and "
                "at >= :from_time and at <= :to_time order by seq desc",
                {connection_id, from, to}, &read_boot);
}

}  // namespace tributary::store
