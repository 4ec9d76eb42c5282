#include "connect/health/clock_watch.hpp"

namespace tributary::connect::health {

std::optional<ClockStep> ClockWatch::beat(UtcTime utc, SteadyTime steady) {
  const auto passed = [&](SteadyTime since) {
    return std::chrono::floor<std::chrono::microseconds>(steady - since);
  };
  if (!first_) first_ = last_ = Reading{utc, steady};
  const auto by = utc - (last_->utc + passed(last_->steady));
  last_ = Reading{utc, steady};
  if (std::chrono::abs(by) <= kClockStep) return std::nullopt;
  return ClockStep{first_->utc + passed(first_->steady), by};
}

}  // namespace tributary::connect::health
