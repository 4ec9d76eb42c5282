// Time, always injected. Durations and timers use the monotonic clock; UTC is for labels only.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace tributary {

using Duration = std::chrono::nanoseconds;
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;
// Microseconds since 1970-01-01T00:00:00Z, without leap seconds.
using UtcTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  // Never goes backwards. For every timer, timeout, interval and backoff.
  virtual SteadyTime steady_now() const = 0;
  // May jump. Only for what people read and for durations across a restart.
  virtual UtcTime utc_now() const = 0;
};

// The clocks of this machine. The one place that reads them.
class SystemClock final : public Clock {
 public:
  SteadyTime steady_now() const override;
  UtcTime utc_now() const override;
};

// A clock that a test moves by hand.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(UtcTime start = UtcTime{std::chrono::seconds{1'700'000'000}})
      : utc_(start) {}
  SteadyTime steady_now() const override { return steady_; }
  UtcTime utc_now() const override { return utc_; }
  void advance(Duration by);
  void step_utc(Duration by) { utc_ += std::chrono::duration_cast<std::chrono::microseconds>(by); }

 private:
  SteadyTime steady_{std::chrono::hours{1}};
  UtcTime utc_;
};

// "2026-11-22T10:00:00.123Z": RFC 3339, UTC, milliseconds.
std::string format_utc(UtcTime time);
// Accepts what RFC 3339 allows (any offset, 0 to 9 fraction digits). Error: kFunction
// "invalid_time".
Result<UtcTime> parse_utc(std::string_view text);
// Microseconds since the epoch, for the store.
std::int64_t to_micros(UtcTime time);
UtcTime from_micros(std::int64_t micros);
double to_seconds(Duration duration);

}  // namespace tributary
