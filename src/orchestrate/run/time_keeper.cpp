#include "orchestrate/run/time_keeper.hpp"

#include <algorithm>

namespace tributary::orchestrate {

TimeKeeper::TimeKeeper(const Plan& plan, const std::vector<NodeState>& states, Executor executor,
                       Clock& clock, Timers& timers)
    : plan_(plan),
      states_(states),
      executor_(executor),
      clock_(clock),
      timers_(timers),
      utc_start_(clock.utc_now()),
      steady_start_(timers.now()) {}

UtcTime TimeKeeper::now() const {
  return utc_start_ + std::chrono::floor<std::chrono::microseconds>(timers_.now() - steady_start_);
}

std::optional<Due> TimeKeeper::due(std::size_t node) const {
  const auto& logic = plan_.nodes[node].logic;
  return logic ? logic->due(states_[node]) : std::nullopt;
}

bool TimeKeeper::is_due(std::size_t node) const {
  const auto when = due(node);
  return when && when->at <= (when->wall ? clock_.utc_now() : now());
}

std::optional<std::size_t> TimeKeeper::first_due() const {
  for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
    if (is_due(i)) return i;
  }
  return std::nullopt;
}

std::optional<Duration> TimeKeeper::until_next() const {
  std::optional<Duration> wait;
  for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
    const auto when = due(i);
    if (!when) continue;
    const Duration left =
        std::max<Duration>(when->at - (when->wall ? clock_.utc_now() : now()), Duration{});
    wait = wait ? std::min(*wait, left) : left;
  }
  return wait;
}

void TimeKeeper::arm(std::function<void()> wake) {
  std::optional<Duration> wait;
  for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
    const auto when = due(i);
    if (!when) continue;
    // Nothing is later than a day from now: what is due after that is looked at again.
    constexpr Duration kLongest = std::chrono::hours{24};
    const auto ahead = when->at - (when->wall ? clock_.utc_now() : now());
    Duration left = std::clamp<Duration>(
        std::min<std::chrono::microseconds>(ahead, std::chrono::hours{24}), Duration{}, kLongest);
    if (when->wall) left = std::min(left, kWallClockCheck);
    wait = wait ? std::min(*wait, left) : left;
  }
  if (!wait) return timer_.reset();
  const SteadyTime at = timers_.now() + *wait;
  if (timer_ && armed_ == at) return;
  armed_ = at;
  timer_ = timers_.at(executor_, at, [this, wake = std::move(wake)] {
    // The timer is over, and may not be dropped inside of its own callback.
    armed_ = SteadyTime{};
    wake();
  });
}

}  // namespace tributary::orchestrate
