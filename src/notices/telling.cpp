// From what happens to messages in the outbox.
#include <fmt/format.h>

#include "base/id.hpp"
#include "notices/notices_impl.hpp"
#include "runtime/log.hpp"

namespace tributary::notices {
namespace {

// Alarms come with ever new subjects; those that are over are let go beyond this.
constexpr std::size_t kMaxRestingAlarms = 1000;
constexpr std::string_view kOwnAlarm = "notice_failing";

Subject subject_of(const connect::ConnectionView& connection) {
  return {connection.row.id, connection.row.name, connection.row.type, connection.row.labels};
}

connect::DigestState alarm_state(bool raised) {
  return {raised ? 1 : 0, raised ? 1 : 0};
}

}  // namespace

void Notices::Impl::on_state(const connect::StateChange& change) {
  if (closed) return;
  const std::string& id = change.connection_id;
  const auto connection = change.removed ? std::nullopt : manager.connection(id);
  const SteadyTime now = runtime.timers().now();
  for (const auto& [notice_id, entry] : entries) {
    if (!entry->row.enabled || !entry->rule.wants_statuses) continue;
    if (!connection) {
      entry->statuses.forget(id);
      continue;
    }
    const auto& wanted = entry->rule.statuses;
    if (!wanted.connections.takes(id, connection->row.type, connection->row.labels)) {
      entry->statuses.forget(id);  // its labels may have changed
      continue;
    }
    StatusNews news{subject_of(*connection), change.from, change.state};
    entry->statuses.change(now, id, connect::digest_state(change.from),
                           connect::digest_state(change.state.status),
                           wanted.takes(change.from, change.state.status), std::move(news));
    tell(entry);
  }
}

void Notices::Impl::on_alarm(const connect::AlarmRow& alarm) {
  if (closed) return;
  const auto connection = manager.connection(alarm.connection_id);
  const SteadyTime now = runtime.timers().now();
  const bool raised = !alarm.cleared_at;
  const std::string name = fmt::format("{}/{}/{}", alarm.connection_id, alarm.kind, alarm.subject);
  for (const auto& [notice_id, entry] : entries) {
    // That a notice fails is told to others, not to itself.
    const bool own = alarm.kind == kOwnAlarm && alarm.subject == notice_id;
    if (!entry->row.enabled || own || !entry->rule.wants_alarm(alarm.kind)) continue;
    const connect::ConnectionFilter& wanted = entry->rule.statuses.connections;
    const bool takes =
        connection ? wanted.takes(alarm.connection_id, connection->row.type, connection->row.labels)
                   : wanted.is_open();
    if (!takes) continue;
    AlarmNews news{std::nullopt, alarm};
    if (connection) news.subject = subject_of(*connection);
    entry->alarms.change(now, name, alarm_state(!raised), alarm_state(raised), true,
                         std::move(news));
    tell(entry);
    if (entry->alarms.size() > kMaxRestingAlarms) entry->alarms.prune(now);
  }
}

void Notices::Impl::tell(const std::shared_ptr<Entry>& entry) {
  entry->timer.reset();
  const SteadyTime now = runtime.timers().now();
  const UtcTime at = runtime.clock().utc_now();
  while (auto told = entry->statuses.take(now)) {
    std::string id = make_id(at);
    const Json message = status_message(id, at, told->news, told->suppressed);
    enqueue(entry->row.id, std::move(id), message);
  }
  while (auto told = entry->alarms.take(now)) {
    std::string id = make_id(at);
    const Json message = alarm_message(id, at, told->news, told->suppressed);
    enqueue(entry->row.id, std::move(id), message);
  }
  auto due = entry->statuses.due();
  if (const auto other = entry->alarms.due(); other && (!due || *other < *due)) due = other;
  if (!due) return;
  entry->timer = runtime.timers().at(runtime.control(), *due,
                                     [weak = weak_from_this(), watched = std::weak_ptr(entry)] {
                                       const auto impl = weak.lock();
                                       const auto same = watched.lock();
                                       if (impl && same && !impl->closed) impl->tell(same);
                                     });
}

void Notices::Impl::enqueue(const std::string& notice_id, std::string id, const Json& message) {
  last_created = std::max(runtime.clock().utc_now(), last_created + std::chrono::microseconds{1});
  store::OutboxRow row{std::move(id), notice_id, to_text(message), last_created};
  make_room();
  ++writing;
  store.post_write(
      [row](store::SessionRef sql) { return store::Outbox::put(sql, row); },
      [weak = weak_from_this(), control = runtime.control(), row](Result<void> written) {
        asio::post(control, [weak, row, written = std::move(written)] {
          if (const auto impl = weak.lock()) impl->queued(row, written);
        });
      });
}

// In the store: now it may be sent.
void Notices::Impl::queued(store::OutboxRow row, const Result<void>& written) {
  --writing;
  const auto entry = find(row.notice_id);
  if (!entry) {
    // Deleted meanwhile, perhaps after its outbox was emptied.
    settle({}, row.id);
    return;
  }
  if (written) {
    entry->lane->push(std::move(row));
    return;
  }
  ++entry->row.dropped;
  ++totals.dropped;
  log::warning("notices", "A notice could not be stored and is not sent.",
               {{"notice", entry->row.name}, {"reason", written.error().message}});
}

void Notices::Impl::make_room() {
  std::size_t all = writing;
  std::shared_ptr<Entry> longest;
  for (const auto& [id, entry] : entries) {
    all += entry->lane->pending();
    if (!longest || entry->lane->pending() > longest->lane->pending()) longest = entry;
  }
  if (all < kMaxOutbox || !longest) return;
  const auto dropped = longest->lane->drop_oldest();
  if (!dropped) return;
  ++longest->row.dropped;
  ++totals.dropped;
  settle(longest->row, dropped->id);
}

}  // namespace tributary::notices
