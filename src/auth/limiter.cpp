#include "auth/limiter.hpp"

namespace tributary::auth {

std::optional<Duration> AttemptLimiter::try_attempt(const std::string& account,
                                                    const std::string& address, SteadyTime now) {
  if (attempts_.size() >= kMaxKeys) drop_old(now);
  const Key key{account, address};
  if (attempts_.size() >= kMaxKeys && !attempts_.contains(key)) return kWindow;
  std::deque<SteadyTime>& times = attempts_[key];
  while (!times.empty() && times.front() + kWindow <= now) times.pop_front();
  if (times.size() >= kAttempts) return times.front() + kWindow - now;
  times.push_back(now);
  return std::nullopt;
}

void AttemptLimiter::forget(const std::string& account, const std::string& address) {
  attempts_.erase({account, address});
}

void AttemptLimiter::drop_old(SteadyTime now) {
  std::erase_if(attempts_, [&](const auto& entry) { return entry.second.back() + kWindow <= now; });
}

}  // namespace tributary::auth
