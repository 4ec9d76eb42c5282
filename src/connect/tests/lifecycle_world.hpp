// The other side of the reducer's effects: timers, one session, queued calls and values, with the
// invariants of the specification checked after every step.
#pragma once

#include <map>
#include <set>

#include "lifecycle_support.hpp"

namespace tributary::connect::lifecycle {

struct World {
  std::map<TimerKind, ArmTimer> timers;
  std::optional<std::uint64_t> attempt;  // epoch of the attempt under way
  std::optional<std::uint64_t> session;  // epoch of the open session
  bool good_values = false;
  bool retired = false;
  std::vector<std::string> problems;

  void violation(std::string text) { problems.push_back(std::move(text)); }

  // Does what the actor would do, in order.
  void apply(const Event& event, const Step& step) {
    if (const auto* opened = std::get_if<Opened>(&event)) adopt(*opened, step);
    if (const auto* failed = std::get_if<OpenFailed>(&event); failed && attempt == failed->epoch)
      attempt.reset();
    bool acted = false;
    for (const auto& effect : step.effects) {
      if (std::holds_alternative<RecordHistory>(effect)) {
        if (acted) violation("history after an effect");
        continue;
      }
      acted = true;
      if (const auto* arm = std::get_if<ArmTimer>(&effect)) timers[arm->kind] = *arm;
      if (std::holds_alternative<CancelTimers>(effect)) timers.clear();
      if (const auto* open = std::get_if<OpenSession>(&effect)) begin(*open);
      if (std::holds_alternative<CloseSession>(effect)) session.reset(), attempt.reset();
      if (std::holds_alternative<MarkBad>(effect)) good_values = false;
      if (std::holds_alternative<FlushCalls>(effect)) good_values = true;
      if (std::holds_alternative<Retire>(effect)) retired = true;
    }
  }

  void adopt(const Opened& opened, const Step& step) {
    const bool discarded = has_effect<DiscardSession>(step);
    if (attempt == opened.epoch && !discarded) {
      if (session) violation("invariant 1: a second session");
      session = attempt;
      attempt.reset();
    } else if (!discarded) {
      violation("a late success was not discarded");
    }
  }

  void begin(const OpenSession& open) {
    if (attempt) violation("invariant 1: a second attempt");
    if (session) violation("invariant 1: an attempt beside a session");
    attempt = open.epoch;
  }

  bool armed(TimerKind kind) const { return timers.contains(kind); }

  // Invariants 1, 2, 4 and 6 for the state that a step led to.
  void check(const LifecycleState& state, const Policy& policy) {
    const auto require = [this](bool holds, std::string_view text) {
      if (!holds) violation(std::string(text));
    };
    for (const auto& [kind, timer] : timers) {
      require(timer.epoch == state.epoch, "a timer of an old epoch is armed");
    }
    require(armed(TimerKind::kBackoff) == (state.status == Status::kDisconnected),
            "invariant 2: backoff timer");
    require(armed(TimerKind::kDeadline) == state.attempting(), "a deadline belongs to an attempt");
    require(armed(TimerKind::kCooldown) ==
                (state.status == Status::kFailed && resettable(state, policy)),
            "invariant 2: cool-down timer");
    require(attempt.has_value() == state.attempting(),
            "an attempt exists while Connecting or Reconnecting");
    require(session.has_value() == (state.status == Status::kConnected),
            "a session exists while Connected");
    if (attempt) require(*attempt == state.epoch, "the attempt is of this epoch");
    require(!good_values || state.status == Status::kConnected,
            "invariant 4: good values while not Connected");
    if (state.status == Status::kIdle || state.status == Status::kSuspended) {
      require(timers.empty() && !attempt && !session,
              "invariant 2: Idle and Suspended hold nothing");
    }
    const bool half_open = state.breaker.state == BreakerState::kHalfOpen;
    if (half_open) {
      require(state.status == Status::kReconnecting, "invariant 6: half-open means Reconnecting");
      require(attempt == state.breaker.probe && armed(TimerKind::kDeadline),
              "invariant 6: one probe with a deadline");
    }
    require((state.breaker.state == BreakerState::kOpen) == (state.status == Status::kFailed),
            "open means Failed");
    require((state.intent == Intent::kSuspended) == (state.status == Status::kSuspended),
            "intent and status agree");
    require(state.due.has_value() == (armed(TimerKind::kBackoff) || armed(TimerKind::kCooldown)),
            "what people are told about the next attempt");
  }

  static bool resettable(const LifecycleState& state, const Policy& policy) {
    if (!policy.reconnect.automatic_reset || !state.cause) return false;
    const auto error_class = state.cause->error.error_class;
    return error_class != ErrorClass::kIdentity && error_class != ErrorClass::kConfiguration;
  }
};

// Rows that a step records are linked to each other, to the status before and to the status after,
// and all are legal.
inline void check_rows(const LifecycleState& before, const Event& event, const Step& step,
                       std::vector<std::string>& problems) {
  const bool first =
      std::holds_alternative<Created>(event) || std::holds_alternative<Booted>(event);
  std::optional<Status> at = before.status;
  for (const auto& row : effects_of<RecordHistory>(step)) {
    if (!is_legal(row.from, row.to)) problems.push_back("illegal: " + rows_of(step).front());
    if (!first && row.from != at) problems.push_back("invariant 5: a gap in history");
    at = row.to;
  }
  if (at != step.next.status && !first) problems.push_back("invariant 5: a change without a row");
}

}  // namespace tributary::connect::lifecycle
