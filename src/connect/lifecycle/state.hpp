// What the lifecycle of one connection consists of. Intent, status, breaker and epoch are kept
// apart (lifecycle §1).
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "connect/status.hpp"

namespace tributary::connect::lifecycle {

// What people want. Persisted before it has an effect; only people write it.
enum class Intent : std::uint8_t { kStopped, kRunning, kSuspended };

enum class BreakerState : std::uint8_t { kClosed, kOpen, kHalfOpen };

struct Breaker {
  BreakerState state = BreakerState::kClosed;
  int failures = 0;         // in a row, since the last stable connection
  int openings = 0;         // since the last stable connection: doubles the cool-down
  std::uint64_t probe = 0;  // the epoch of the probe while half-open

  friend bool operator==(const Breaker&, const Breaker&) = default;
};

struct LifecycleState {
  Status status = Status::kIdle;
  Intent intent = Intent::kStopped;
  Breaker breaker;
  // Raised whenever what is under way loses its meaning: timers, callbacks and probes of an older
  // epoch are dropped.
  std::uint64_t epoch = 0;
  bool gone = false;  // deleted (T26): nothing has an effect any more
  bool opening =
      false;  // the attempt under way has begun to talk (it may be waiting for its turn before)

  int attempt = 0;  // attempts since the run began or was last stable
  int backoff_step = 0;
  int identity_refusals = 0;                             // of the present credential version
  std::array<std::optional<SteadyTime>, 2> takeovers{};  // the last two, older first
  // Losses that look like a takeover (sdk::kClosedWithoutReason), with nothing else between them.
  std::array<std::optional<SteadyTime>, 2> unexplained{};

  // For people.
  UtcTime since;
  std::shared_ptr<const Cause> cause;
  std::optional<std::string> degraded;
  std::optional<Suspension> suspension;
  std::optional<SteadyTime> due;  // when the backoff or the cool-down ends
  std::optional<UtcTime> due_utc;

  std::uint64_t stale_events = 0;
  std::uint64_t busy_answers = 0;  // visible although they do not count for the breaker

  bool attempting() const {
    return status == Status::kConnecting || status == Status::kReconnecting;
  }
};

// The API's "state" object.
StateView to_view(const LifecycleState& state);

std::string_view to_string(BreakerState state);
std::string_view to_string(Intent intent);
std::optional<Intent> parse_intent(std::string_view text);

}  // namespace tributary::connect::lifecycle
