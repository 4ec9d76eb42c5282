// What can be said about a connection at one moment: the API's "state" object.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/json.hpp"

namespace tributary::connect {

// The seven states of the connection lifecycle. kUnknown is for history only: the hub was down.
enum class Status : std::uint8_t {
  kIdle,
  kConnecting,
  kConnected,
  kDisconnected,
  kReconnecting,
  kFailed,
  kSuspended,
  kUnknown
};
std::string_view to_string(Status status);
std::optional<Status> parse_status(std::string_view text);

struct Cause {
  Error error;
  UtcTime at;
};

struct BreakerView {
  std::string state = "closed";  // "closed" | "open" | "half-open"
  int consecutive_failures = 0;
  std::optional<UtcTime> open_until;
};

// What follows when the end of a suspension comes.
enum class AfterSuspension : std::uint8_t { kResume, kResumeAndStart };
std::string_view to_string(AfterSuspension then);  // "resume", "resumeAndStart"
std::optional<AfterSuspension> parse_after_suspension(std::string_view text);

struct Suspension {
  std::string reason;
  std::string by;
  UtcTime at;
  std::optional<UtcTime> until;
  AfterSuspension then = AfterSuspension::kResumeAndStart;  // with `until`
  std::string window_id{};  // of the maintenance window that made it; empty: a person did

  friend bool operator==(const Suspension&, const Suspension&) = default;
};

struct StateView {
  Status status = Status::kIdle;
  UtcTime since;
  std::int64_t epoch = 0;
  int attempt = 0;
  std::optional<Cause> cause;
  std::optional<UtcTime> next_attempt_at;
  std::optional<std::string> degraded;
  BreakerView breaker;
  std::optional<Suspension> suspension;
};

// Reconnect policy of a profile. Defaults per family: connect/lifecycle/policy.hpp.
struct ReconnectPolicy {
  Duration initial_delay{std::chrono::seconds{1}};
  Duration max_delay{std::chrono::seconds{30}};
  double multiplier = 2.0;
  int failures_to_open = 10;
  Duration cooldown{std::chrono::seconds{60}};
  Duration max_cooldown{std::chrono::minutes{5}};
  bool automatic_reset = true;
  Duration stable{std::chrono::seconds{30}};
};

// The API's JSON (api-examples).
Json to_json(const StateView& state);
Json to_json(const Cause& cause);
Json to_json(const BreakerView& breaker);

}  // namespace tributary::connect
