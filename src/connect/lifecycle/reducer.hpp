// The inside of reduce(): one step under construction. Not for use outside this folder.
#pragma once

#include "connect/lifecycle/backoff.hpp"
#include "connect/lifecycle/reduce.hpp"

namespace tributary::connect::lifecycle {

class Reducer {
 public:
  Reducer(const LifecycleState& state, const Policy& policy, const Inputs& inputs)
      : policy_(policy), inputs_(inputs) {
    step_.next = state;
  }

  Step take() && { return std::move(step_); }

  // The process and people (reduce_commands.cpp).
  void operator()(const Created& event);
  void operator()(const Booted& event);
  void operator()(const Shutdown& event);
  void operator()(const Start& event);
  void operator()(const Stop& event);
  void operator()(const Restart& event);
  void operator()(const Suspend& event);
  void operator()(const Resume& event);
  void operator()(const ConfigChanged& event);
  void operator()(const Delete& event);
  void operator()(const Undeleted& event);

  // The attempt and the session (reduce_session.cpp).
  void operator()(const AttemptStarted& event);
  void operator()(const Opened& event);
  void operator()(const OpenFailed& event);
  void operator()(const Lost& event);
  void operator()(const DegradedChanged& event);
  void operator()(const TimerFired& event);

 private:
  struct Reason {
    std::string note;
    std::string actor;
    std::shared_ptr<const Cause> cause;
  };

  LifecycleState& state() { return step_.next; }
  void emit(Effect effect) { step_.effects.push_back(std::move(effect)); }
  void answer(Answer answer) { step_.answer = answer; }
  void refuse(Error error);
  // True when the event belongs to another epoch: it was counted and is to be dropped.
  bool drop_stale(std::uint64_t epoch);

  // A row of history and the new status. Everything that is armed or promised for the old status is
  // the caller's.
  void move_to(Status to, Reason reason);
  // Whatever was under way has lost its meaning.
  void raise_epoch() { ++state().epoch; }
  void clear_due();
  void set_due(Duration wait);

  // Ends what the present status holds: timers, session or attempt, calls, good values.
  void release(Quality quality, bool graceful);
  // A row to `to` (Connecting or Reconnecting) and a new attempt in a new epoch.
  void attempt(Status to, Reason reason, Duration delay, bool automatic, Duration close_budget);
  // A new attempt without a change of status, for edits while one is under way.
  void attempt_again(Duration close_budget);
  void open_session(Duration delay, bool automatic, Duration close_budget);
  void suspend_anew(const Suspension& wanted);
  // To Idle or Suspended from any status that is not at rest.
  void rest(Status to, Reason reason);
  // Restart, and a change of configuration: T12, T15, T22 by status.
  void renew(const std::string& note, const std::string& actor);

  // T4, T5, T18, T19: the attempt under way came to nothing.
  void attempt_failed(Error error);
  // Disconnected with a backoff armed.
  void back_off(const std::shared_ptr<const Cause>& cause);
  // Failed with the breaker open, and a cool-down where the cause allows one.
  void give_up(const std::shared_ptr<const Cause>& cause);
  // Counts a failure by its class; true when it ends in Failed rather than in another try.
  bool count_failure(Error& error, bool from_connected);
  bool count_takeover();
  // A loss that may be a takeover nobody told us of: the third in a row makes it one.
  bool count_unexplained(Error& error, bool from_connected);
  void close_breaker();
  void reset_counters();

  const Policy& policy_;
  const Inputs& inputs_;
  Step step_;
};

}  // namespace tributary::connect::lifecycle
