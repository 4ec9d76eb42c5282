// What can happen to a connection. Commands come from people, boot from the process, the rest
// carries the epoch it belongs to.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "connect/lifecycle/state.hpp"

namespace tributary::connect::lifecycle {

enum class TimerKind : std::uint8_t {
  kBackoff,   // Disconnected: the next attempt
  kCooldown,  // Failed: the probe
  kDeadline,  // Connecting, Reconnecting: the attempt has taken too long
  kStable,    // Connected: held long enough for the counters to start again
};
std::string_view to_string(TimerKind kind);

// ---- the process ----
struct Created {
  std::string by;
};
// What history says about the run before this one.
struct LastRun {
  Status status = Status::kIdle;
  UtcTime ended;  // its last heartbeat
  // It had given up because the peer refused these very credentials: a restart of the hub is one
  // more try, not two.
  bool credentials_refused = false;
  // The same moment on that run's own clock; empty when its heartbeat is not known any more. The
  // row that closes it is of its boot, and of its last epoch.
  std::string boot_id = {};
  std::int64_t monotonic_ns = 0;
  std::uint64_t epoch = 0;
};
struct Booted {
  Intent intent = Intent::kStopped;
  std::optional<Suspension> suspension;
  std::optional<LastRun> last;
};
// The hub goes down politely; the intent stays.
struct Shutdown {};

// ---- people ----
struct Start {
  std::string by;
  // Starts at boot are spread over time and take turns at their target; a person's start is not
  // kept waiting.
  Duration delay{};
  bool automatic = false;
};
struct Stop {
  std::string by;
};
// Also "connect now" for a Disconnected connection (T15).
struct Restart {
  std::string by;
};
// Of a suspended connection: a person's word replaces what holds it, a maintenance window replaces
// another window's only.
struct Suspend {
  Suspension suspension;
};
struct Resume {
  std::string by;
  // T24, then T2: nothing comes between the two, not even the end of the hub.
  std::optional<Start> then{};
  // Ends only the suspension that began then: its end came, and another may have taken its place.
  std::optional<UtcTime> only_of{};
};
// Settings, policy or secrets were edited. `credentials`: a secret or the user changed, so refusals
// start from zero.
struct ConfigChanged {
  std::string by;
  bool credentials = false;
};
struct Delete {
  std::string by;
  bool forced = false;
};

// The deletion could not be stored: the connection is there again, at rest.
struct Undeleted {};

// ---- the attempt and the session ----
// The attempt has its turn and begins: from now on the connect deadline runs.
struct AttemptStarted {
  std::uint64_t epoch = 0;
  // It is the first with these credentials: what stands behind a reference has changed.
  bool new_credentials = false;
};
// Handshake done, subscriptions confirmed, first health read good (T3).
struct Opened {
  std::uint64_t epoch = 0;
  std::string identity;  // for the history row
  std::optional<std::string> degraded;
};
struct OpenFailed {
  std::uint64_t epoch = 0;
  Error error;
};
struct Lost {
  std::uint64_t epoch = 0;
  Error error;
};
struct DegradedChanged {
  std::uint64_t epoch = 0;
  std::optional<std::string> degraded;
};
struct TimerFired {
  TimerKind kind = TimerKind::kBackoff;
  std::uint64_t epoch = 0;
};

using Event = std::variant<Created, Booted, Shutdown, Start, Stop, Restart, Suspend, Resume,
                           ConfigChanged, Delete, Undeleted, AttemptStarted, Opened, OpenFailed,
                           Lost, DegradedChanged, TimerFired>;

// For logs and test output: "Start", "OpenFailed(Transient)".
std::string describe(const Event& event);

}  // namespace tributary::connect::lifecycle
