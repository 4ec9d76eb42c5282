#include "connect/lifecycle/reduce.hpp"

#include "connect/lifecycle/reducer.hpp"

namespace tributary::connect::lifecycle {

namespace {

// After a delete: a session that still comes up is closed, anything else is dropped.
Step ignore(const LifecycleState& state, const Event& event) {
  Step step;
  step.next = state;
  ++step.next.stale_events;
  if (const auto* opened = std::get_if<Opened>(&event))
    step.effects.push_back(DiscardSession{opened->epoch});
  return step;
}

}  // namespace

Step reduce(const LifecycleState& state, const Event& event, const Policy& policy, Inputs inputs) {
  if (state.gone && !std::holds_alternative<Undeleted>(event)) return ignore(state, event);
  Reducer reducer(state, policy, inputs);
  std::visit(reducer, event);
  Step step = std::move(reducer).take();
  // Decide, append to history, then act (lifecycle §1).
  std::ranges::stable_partition(step.effects, [](const Effect& effect) {
    return std::holds_alternative<RecordHistory>(effect);
  });
  return step;
}

void Reducer::refuse(Error error) {
  step_.answer = Answer::kRefused;
  step_.refusal = std::move(error);
}

bool Reducer::drop_stale(std::uint64_t epoch) {
  if (epoch == state().epoch) return false;
  ++state().stale_events;
  return true;
}

void Reducer::move_to(Status to, Reason reason) {
  emit(RecordHistory{state().status, to, state().epoch, std::move(reason.cause),
                     std::move(reason.note), std::move(reason.actor), inputs_.utc});
  state().status = to;
  state().since = inputs_.utc;
}

void Reducer::clear_due() {
  state().due.reset();
  state().due_utc.reset();
}

void Reducer::set_due(Duration wait) {
  state().due = inputs_.now + wait;
  state().due_utc = inputs_.utc + std::chrono::duration_cast<std::chrono::microseconds>(wait);
}

void Reducer::close_breaker() {
  state().breaker.state = BreakerState::kClosed;
  state().breaker.probe = 0;
}

void Reducer::reset_counters() {
  state().breaker.failures = 0;
  state().breaker.openings = 0;
  state().backoff_step = 0;
  state().attempt = 0;
  state().takeovers = {};
  state().unexplained = {};
}

void Reducer::release(Quality quality, bool graceful) {
  emit(CancelTimers{});
  clear_due();
  // A peer that pushes may have sent good values before its session was complete.
  const bool may_have_values = state().status == Status::kConnected || state().attempting();
  if (may_have_values) emit(MarkBad{quality});
  emit(RejectCalls{});
  if (may_have_values) emit(CloseSession{graceful});
  state().opening = false;
  state().degraded.reset();
}

void Reducer::open_session(Duration delay, bool automatic, Duration close_budget) {
  ++state().attempt;
  state().opening = false;
  emit(OpenSession{state().epoch, delay, policy_.connect_timeout, automatic});
  emit(ArmTimer{TimerKind::kDeadline,
                inputs_.now + close_budget + delay + policy_.connect_timeout + kDeadlineGrace,
                state().epoch});
}

void Reducer::attempt(Status to, Reason reason, Duration delay, bool automatic,
                      Duration close_budget) {
  raise_epoch();
  move_to(to, std::move(reason));
  open_session(delay, automatic, close_budget);
  emit(Publish{});
}

void Reducer::attempt_again(Duration close_budget) {
  emit(CancelTimers{});
  emit(MarkBad{kBadOutOfService});
  emit(CloseSession{false});
  raise_epoch();
  open_session({}, false, close_budget);
  emit(Publish{});
}

void Reducer::rest(Status to, Reason reason) {
  const bool graceful = state().status == Status::kConnected;
  raise_epoch();
  release(kBadOutOfService, graceful);
  close_breaker();  // a probe that was under way ends as cancelled
  state().cause.reset();
  move_to(to, std::move(reason));
  emit(Publish{});
}

}  // namespace tributary::connect::lifecycle
