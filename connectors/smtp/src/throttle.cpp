#include "connectors/smtp/src/throttle.hpp"

namespace tributary::connectors::smtp {
namespace {

constexpr std::chrono::minutes kWindow{1};

void forget(std::deque<SteadyTime>& times, SteadyTime now) {
  while (!times.empty() && now - times.front() >= kWindow) times.pop_front();
}

}  // namespace

std::optional<Duration> Throttle::take(const std::string& connection_id, std::int64_t most,
                                       SteadyTime now) {
  if (most == 0) return std::nullopt;
  const std::lock_guard lock(mutex_);
  if (sent_.size() >= kMaxConnections) {
    for (auto& [id, times] : sent_) forget(times, now);
    std::erase_if(sent_, [](const auto& each) { return each.second.empty(); });
  }
  auto& times = sent_[connection_id];
  forget(times, now);
  if (times.size() >= static_cast<std::size_t>(most)) return times.front() + kWindow - now;
  times.push_back(now);
  return std::nullopt;
}

}  // namespace tributary::connectors::smtp
