// What is to be done about an event. The actor does them in the order given; rows of history come
// first and are on disk before the rest is done.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "connect/lifecycle/event.hpp"
#include "model/quality.hpp"

namespace tributary::connect::lifecycle {

struct RecordHistory {
  std::optional<Status> from;  // absent on a connection's first row
  Status to = Status::kIdle;
  std::uint64_t epoch = 0;
  std::shared_ptr<const Cause> cause;
  std::string note;
  std::string actor;
  UtcTime at;
  // Of a row that tells of an earlier run: that run's clock. Otherwise the present one's.
  std::string boot_id = {};
  std::int64_t monotonic_ns = 0;
};
// A timer of a kind that is armed already is replaced.
struct ArmTimer {
  TimerKind kind = TimerKind::kBackoff;
  SteadyTime at;
  std::uint64_t epoch = 0;
};
struct CancelTimers {};
// One attempt: waits `delay`, then for its turn (in front when a person caused it), reports
// AttemptStarted, then exactly one of Opened and OpenFailed, unless it is closed before.
struct OpenSession {
  std::uint64_t epoch = 0;
  Duration delay{};
  Duration timeout{};
  bool automatic = false;
};
// The attempt or session under way ends, if there is one. Done when no byte is sent any more.
struct CloseSession {
  bool graceful = false;
};
// A session that came up too late: closed, never adopted.
struct DiscardSession {
  std::uint64_t epoch = 0;
};
// Queued and waiting calls get the error of the present status.
struct RejectCalls {};
// Queued calls may run.
struct FlushCalls {};
struct MarkBad {
  Quality quality = kBadCommunicationError;
};
// The actor is done for: it drops everything it holds.
struct Retire {};
// The new state may be shown.
struct Publish {};

using Effect = std::variant<RecordHistory, ArmTimer, CancelTimers, OpenSession, CloseSession,
                            DiscardSession, RejectCalls, FlushCalls, MarkBad, Retire, Publish>;

// How a command ended. Events that are not commands answer kNone.
enum class Answer : std::uint8_t { kNone, kDone, kAlreadySo, kRefused };

struct Step {
  LifecycleState next;
  std::vector<Effect> effects;
  Answer answer = Answer::kNone;
  std::optional<Error> refusal;  // with kRefused
};

}  // namespace tributary::connect::lifecycle
