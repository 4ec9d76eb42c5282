// What attempts, sessions and timers report.
#include "connect/lifecycle/reducer.hpp"
#include "sdk/connector.hpp"

namespace tributary::connect::lifecycle {

namespace {

// True for the third moment within the window.
bool third_in_window(std::array<std::optional<SteadyTime>, 2>& moments, SteadyTime now) {
  auto& [older, newer] = moments;
  const bool third = older && now - *older <= kTakeoverWindow;
  older = std::exchange(newer, now);
  return third;
}

}  // namespace

void Reducer::operator()(const AttemptStarted& event) {
  if (!state().attempting() || event.epoch != state().epoch) {
    ++state().stale_events;
    return;
  }
  state().opening = true;
  if (event.new_credentials) state().identity_refusals = 0;
  emit(ArmTimer{TimerKind::kDeadline, inputs_.now + policy_.connect_timeout + kDeadlineGrace,
                state().epoch});
}

// T3, T17
void Reducer::operator()(const Opened& event) {
  if (!state().attempting() || event.epoch != state().epoch) {
    ++state().stale_events;
    emit(DiscardSession{event.epoch});
    return;
  }
  emit(CancelTimers{});
  clear_due();
  close_breaker();
  state().opening = false;
  state().identity_refusals = 0;
  state().degraded = event.degraded;
  state().cause.reset();
  move_to(Status::kConnected, {event.identity, {}, {}});
  emit(ArmTimer{TimerKind::kStable, inputs_.now + policy_.reconnect.stable, state().epoch});
  emit(FlushCalls{});
  emit(Publish{});
}

void Reducer::operator()(const OpenFailed& event) {
  // The session broke while the row that says it is up was being written: a loss like any other.
  if (state().status == Status::kConnected && event.epoch == state().epoch) {
    (*this)(Lost{event.epoch, event.error});
    return;
  }
  if (!state().attempting() || event.epoch != state().epoch) {
    ++state().stale_events;
    return;
  }
  attempt_failed(event.error);
}

// T8, T9, and T14 when the loss trips the breaker
void Reducer::operator()(const Lost& event) {
  if (state().status != Status::kConnected || event.epoch != state().epoch) {
    ++state().stale_events;
    return;
  }
  Error error = event.error;
  const bool give_up_now = count_failure(error, true);
  const auto cause = std::make_shared<const Cause>(Cause{std::move(error), inputs_.utc});
  raise_epoch();
  release(kBadCommunicationError, false);
  state().cause = cause;
  const bool revoked = give_up_now && state().breaker.failures < policy_.reconnect.failures_to_open;
  if (revoked) {
    give_up(cause);
  } else if (give_up_now) {
    move_to(Status::kDisconnected, {{}, {}, cause});
    give_up(cause);
  } else {
    back_off(cause);
  }
  emit(Publish{});
}

void Reducer::operator()(const DegradedChanged& event) {
  if (drop_stale(event.epoch) || state().status != Status::kConnected) return;
  if (state().degraded == event.degraded) return;
  state().degraded = event.degraded;
  emit(Publish{});
}

void Reducer::operator()(const TimerFired& event) {
  if (drop_stale(event.epoch)) return;
  switch (event.kind) {
    case TimerKind::kBackoff:  // T13
      if (state().status != Status::kDisconnected) break;
      emit(CancelTimers{});
      clear_due();
      attempt(Status::kReconnecting, {{}, {}, {}}, {}, true, {});
      return;
    case TimerKind::kCooldown:  // T21
      if (state().status != Status::kFailed) break;
      emit(CancelTimers{});
      clear_due();
      state().breaker.state = BreakerState::kHalfOpen;
      state().breaker.probe = state().epoch + 1;  // the epoch that attempt() is about to begin
      attempt(Status::kReconnecting, {"probe", {}, {}}, {}, true, {});
      return;
    case TimerKind::kDeadline:
      if (!state().attempting()) break;
      attempt_failed(
          state().opening
              ? Error(ErrorClass::kTransient, "connect_timeout",
                      fmt::format("No session within {} ms.",
                                  policy_.connect_timeout / std::chrono::milliseconds{1}),
                      "Is the system reachable, and is connectTimeoutMs long enough?")
              : Error(ErrorClass::kBusy, "connect_turn_timeout",
                      "Too many other connections were being opened, here or to the same address.",
                      "Nothing to do: the next attempt follows by itself."));
      return;
    case TimerKind::kStable:
      if (state().status != Status::kConnected) break;
      reset_counters();
      emit(Publish{});
      return;
  }
  ++state().stale_events;  // a timer of this epoch that another event has overtaken
}

void Reducer::attempt_failed(Error error) {
  const bool probe = state().breaker.state == BreakerState::kHalfOpen;
  const bool give_up_now = count_failure(error, false) || probe;
  const auto cause = std::make_shared<const Cause>(Cause{std::move(error), inputs_.utc});
  raise_epoch();
  emit(CancelTimers{});
  clear_due();
  emit(MarkBad{kBadCommunicationError});  // what was pushed before the session was complete
  emit(CloseSession{false});
  emit(RejectCalls{});
  state().opening = false;
  state().cause = cause;
  if (give_up_now) {
    give_up(cause);
  } else {
    back_off(cause);
  }
  emit(Publish{});
}

void Reducer::back_off(const std::shared_ptr<const Cause>& cause) {
  const Duration wait =
      backoff_delay(policy_.reconnect, state().backoff_step, cause->error, inputs_.random);
  ++state().backoff_step;
  move_to(Status::kDisconnected, {{}, {}, cause});
  set_due(wait);
  emit(ArmTimer{TimerKind::kBackoff, inputs_.now + wait, state().epoch});
}

void Reducer::give_up(const std::shared_ptr<const Cause>& cause) {
  const auto rest =
      cooldown_delay(policy_.reconnect, state().breaker.openings, cause->error, inputs_.random);
  state().breaker.state = BreakerState::kOpen;
  state().breaker.probe = 0;
  ++state().breaker.openings;
  move_to(Status::kFailed, {{}, {}, cause});
  if (!rest) return;
  set_due(*rest);
  emit(ArmTimer{TimerKind::kCooldown, inputs_.now + *rest, state().epoch});
}

bool Reducer::count_failure(Error& error, bool from_connected) {
  if (count_unexplained(error, from_connected)) return true;
  switch (error.error_class) {
    case ErrorClass::kTransient:
    case ErrorClass::kName:
      ++state().breaker.failures;
      return state().breaker.failures >= policy_.reconnect.failures_to_open;
    case ErrorClass::kIdentity:
      ++state().identity_refusals;
      // Withdrawn while connected (T9): the peer knows us and does not want us.
      return from_connected || state().identity_refusals >= kIdentityTries;
    case ErrorClass::kTrust:
    case ErrorClass::kConfiguration:
      return true;
    case ErrorClass::kTakeover:
      if (!count_takeover()) return false;
      error.code = "duplicate_client_id";
      error.message =
          fmt::format("Another client took over the session for the third time in five minutes. {}",
                      error.message);
      error.hint =
          "Two clients use the same client id. Give each its own, then restart this connection.";
      return true;
    case ErrorClass::kBusy:
      ++state().busy_answers;
      return false;
    case ErrorClass::kStandby:
    case ErrorClass::kFunction:
    case ErrorClass::kCancelled:
    case ErrorClass::kInternal:
      return false;
  }
  return false;
}

bool Reducer::count_takeover() {
  return third_in_window(state().takeovers, inputs_.now);
}

// A broker that restarts, or a network that flaps, also refuses, resets or falls silent now and
// then; two clients that throw each other out are always welcome and always closed in order.
bool Reducer::count_unexplained(Error& error, bool from_connected) {
  if (!from_connected || error.code != sdk::kClosedWithoutReason) {
    state().unexplained = {};
    return false;
  }
  if (!third_in_window(state().unexplained, inputs_.now)) return false;
  error.error_class = ErrorClass::kTakeover;
  error.code = "duplicate_client_id";
  error.message = fmt::format(
      "The session was accepted and closed in order, without a reason, three times "
      "within five minutes: so it looks when another client uses the same client id. {}",
      error.message);
  error.hint =
      "Give each client an id of its own, then restart this connection. The peer's log says "
      "whether it was something else.";
  return true;
}

}  // namespace tributary::connect::lifecycle
