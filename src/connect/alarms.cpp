#include "connect/alarms.hpp"

#include "base/id.hpp"
#include "runtime/log.hpp"
#include "store/repositories.hpp"

namespace tributary::connect {

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  return "error";
}

Alarms::Alarms(Runtime& runtime, store::Store& store) : runtime_(runtime), store_(store) {}
Alarms::~Alarms() = default;

Result<void> Alarms::load() {
  return store_.write_now([now = runtime_.clock().utc_now()](soci::session& sql) {
    return store::Alarms::clear_active(sql, now);
  });
}

void Alarms::raise(AlarmKey key, Severity severity, std::string message) {
  const auto found = active_.find(key);
  if (found != active_.end()) {
    AlarmRow& row = found->second;
    if (row.message == message && row.severity == to_string(severity)) return;
    row.message = std::move(message);
    row.severity = to_string(severity);
    store_row(row);
    tell(row);
    return;
  }
  const UtcTime now = runtime_.clock().utc_now();
  AlarmRow row{make_id(now),
               key.connection_id,
               key.kind,
               key.subject,
               std::string(to_string(severity)),
               std::move(message),
               now,
               std::nullopt};
  log::warning("connect", row.message, {{"alarm", row.kind}, {"connection", row.connection_id}});
  store_row(row);
  tell(active_.emplace(std::move(key), std::move(row)).first->second);
}

void Alarms::clear(const AlarmKey& key) {
  const auto found = active_.find(key);
  if (found == active_.end()) return;
  AlarmRow row = std::move(found->second);
  active_.erase(found);
  row.cleared_at = std::max(row.raised_at, runtime_.clock().utc_now());
  store_row(row);
  tell(row);
}

void Alarms::clear_all(const std::string& connection_id, const std::string& kind) {
  std::vector<AlarmKey> keys;
  for (const auto& [key, row] : active_) {
    if (key.connection_id == connection_id && (kind.empty() || key.kind == kind))
      keys.push_back(key);
  }
  for (const auto& key : keys) clear(key);
}

std::vector<AlarmRow> Alarms::active() const {
  std::vector<AlarmRow> rows;
  for (const auto& [key, row] : active_) rows.push_back(row);
  std::ranges::sort(rows, {}, [](const AlarmRow& row) { return std::tie(row.raised_at, row.id); });
  return rows;
}

std::vector<AlarmRow> Alarms::active_of(const std::string& connection_id) const {
  auto rows = active();
  std::erase_if(rows, [&](const AlarmRow& row) { return row.connection_id != connection_id; });
  return rows;
}

Task<Result<std::vector<AlarmRow>>> Alarms::list(std::string connection_id, std::string before,
                                                 std::size_t limit) {
  return store_.read<std::vector<AlarmRow>>(
      [connection_id = std::move(connection_id), before = std::move(before), limit](
          soci::session& sql) { return store::Alarms::list(sql, connection_id, before, limit); });
}

std::shared_ptr<void> Alarms::watch(Listener listener) {
  auto kept = std::make_shared<Listener>(std::move(listener));
  listeners_.push_back(kept);
  return kept;
}

void Alarms::store_row(const AlarmRow& row) {
  store_.post_write([row](soci::session& sql) { return store::Alarms::put(sql, row); },
                    [](Result<void> written) {
                      if (!written)
                        log::warning("connect", "An alarm could not be stored.",
                                     {{"error", written.error().message}});
                    });
}

void Alarms::tell(const AlarmRow& row) {
  std::erase_if(listeners_, [](const auto& listener) { return listener.expired(); });
  const auto listeners = listeners_;
  const AlarmRow copy = row;  // a listener may change the list
  for (const auto& weak : listeners) {
    if (const auto listener = weak.lock()) (*listener)(copy);
  }
}

}  // namespace tributary::connect
