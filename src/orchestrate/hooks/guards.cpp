#include "orchestrate/hooks/guards.hpp"

#include <algorithm>

namespace tributary::orchestrate::hooks {

std::optional<Duration> RateLimit::take(std::int64_t calls_per_minute, SteadyTime now) {
  const double per_second = static_cast<double>(calls_per_minute) / 60;
  const double most = std::max(10.0, static_cast<double>(calls_per_minute) / 6);
  tokens_ =
      filled_at_ ? std::min(most, tokens_ + per_second * to_seconds(now - *filled_at_)) : most;
  filled_at_ = now;
  if (tokens_ >= 1) {
    tokens_ -= 1;
    return std::nullopt;
  }
  const auto wait = std::chrono::duration<double>((1 - tokens_) / per_second);
  return std::chrono::duration_cast<Duration>(wait);
}

bool ReplayGuard::remember(const std::string& signature, SteadyTime now, Duration keep) {
  while (!order_.empty() && (order_.front().until <= now || order_.size() >= kMostRemembered)) {
    known_.erase(order_.front().signature);
    order_.pop_front();
  }
  if (!known_.insert(signature).second) return false;
  order_.push_back({now + keep, signature});
  return true;
}

}  // namespace tributary::orchestrate::hooks
