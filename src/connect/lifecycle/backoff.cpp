#include "connect/lifecycle/backoff.hpp"

#include <cmath>

namespace tributary::connect::lifecycle {

namespace {

constexpr double kFloorSpread = 0.25;
constexpr double kCooldownSpread = 0.2;

Duration scaled(Duration duration, double factor) {
  return Duration{static_cast<Duration::rep>(static_cast<double>(duration.count()) * factor)};
}

// base × factor^exponent without overflow: in floating point, cut before it becomes an integer
// again.
Duration grown(Duration base, double factor, int exponent, Duration cap) {
  const double value = static_cast<double>(base.count()) * std::pow(factor, exponent);
  if (!(value < static_cast<double>(cap.count()))) return cap;
  return Duration{static_cast<Duration::rep>(value)};
}

Duration floor_of(const Error& error) {
  switch (error.error_class) {
    case ErrorClass::kName:
      return kNameFloor;
    case ErrorClass::kIdentity:
      return kIdentityFloor;
    case ErrorClass::kBusy: {
      Duration asked{};
      if (error.retry_after_ms) {
        const auto longest = std::chrono::duration_cast<std::chrono::milliseconds>(kMaxRetryAfter);
        asked = std::chrono::milliseconds{
            std::clamp<std::int64_t>(*error.retry_after_ms, 0, longest.count())};
      }
      return std::max(kBusyFloor, asked);
    }
    default:
      return Duration::zero();
  }
}

}  // namespace

double unit_interval(std::uint64_t random) {
  return static_cast<double>(random >> 11) * 0x1.0p-53;
}

Duration backoff_delay(const ReconnectPolicy& policy, int step, const Error& error,
                       std::uint64_t random) {
  const double unit = unit_interval(random);
  const Duration base = grown(policy.initial_delay, policy.multiplier, step, policy.max_delay);
  const Duration wait = scaled(base, 0.5 + 0.5 * unit);
  const Duration floor = floor_of(error);
  return std::max(wait, floor + scaled(floor, kFloorSpread * unit));
}

Duration longest_backoff(const ReconnectPolicy& policy, const Error& error) {
  const Duration floor = floor_of(error);
  return std::max(policy.max_delay, floor + scaled(floor, kFloorSpread));
}

std::optional<Duration> cooldown_delay(const ReconnectPolicy& policy, int openings,
                                       const Error& error, std::uint64_t random) {
  if (!policy.automatic_reset) return std::nullopt;
  switch (error.error_class) {
    case ErrorClass::kIdentity:
    case ErrorClass::kConfiguration:
      return std::nullopt;
    case ErrorClass::kTrust:
      return kTrustRecheck;
    case ErrorClass::kTakeover:
      return policy.max_cooldown;
    default:
      break;
  }
  const Duration rest = grown(policy.cooldown, 2.0, openings, policy.max_cooldown);
  const double spread = 1.0 - kCooldownSpread + 2.0 * kCooldownSpread * unit_interval(random);
  const Duration wait = std::min(scaled(rest, spread), policy.max_cooldown);
  return std::max(wait, floor_of(error));
}

}  // namespace tributary::connect::lifecycle
