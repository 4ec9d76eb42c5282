#include "connect/flap_watch.hpp"

#include <fmt/format.h>

namespace tributary::connect {

namespace {

// The rule counts in timeline time; any clock that only goes forward will do.
UtcTime as_time(SteadyTime now) {
  return UtcTime{std::chrono::floor<std::chrono::microseconds>(now.time_since_epoch())};
}

}  // namespace

void FlapWatch::on_change(const StateChange& change, SteadyTime now) {
  if (change.removed) {
    watched_.erase(change.connection_id);
    return;
  }
  const Status to = change.state.status;
  const bool loss =
      change.from == Status::kConnected && (to == Status::kDisconnected || to == Status::kFailed);
  if (!loss) return;
  health::Flapping& flapping = watched_[change.connection_id];
  flapping.advance(as_time(now));
  flapping.lost(as_time(now));
  if (!flapping.since()) return;
  alarms_.raise(
      {change.connection_id, std::string(kFlappingAlarm), {}}, Severity::kWarning,
      fmt::format(
          "{} is flapping: it was lost {} times within {} minutes.", change.connection_name,
          health::kFlappingLosses,
          std::chrono::duration_cast<std::chrono::minutes>(health::kFlappingWithin).count()));
}

void FlapWatch::tick(SteadyTime now) {
  for (auto item = watched_.begin(); item != watched_.end();) {
    auto& [id, flapping] = *item;
    const bool active = flapping.since().has_value();
    flapping.advance(as_time(now));
    if (!flapping.losses().empty()) {
      ++item;
      continue;
    }
    if (active) alarms_.clear({id, std::string(kFlappingAlarm), {}});
    item = watched_.erase(item);
  }
}

}  // namespace tributary::connect
