#include "connect/lifecycle/state.hpp"

namespace tributary::connect::lifecycle {

std::string_view to_string(BreakerState state) {
  switch (state) {
    case BreakerState::kClosed:
      return "closed";
    case BreakerState::kOpen:
      return "open";
    case BreakerState::kHalfOpen:
      return "half-open";
  }
  return "closed";
}

std::string_view to_string(Intent intent) {
  switch (intent) {
    case Intent::kStopped:
      return "stopped";
    case Intent::kRunning:
      return "running";
    case Intent::kSuspended:
      return "suspended";
  }
  return "stopped";
}

std::optional<Intent> parse_intent(std::string_view text) {
  for (auto intent : {Intent::kStopped, Intent::kRunning, Intent::kSuspended}) {
    if (to_string(intent) == text) return intent;
  }
  return std::nullopt;
}

StateView to_view(const LifecycleState& state) {
  StateView view;
  view.status = state.status;
  view.since = state.since;
  view.epoch = static_cast<std::int64_t>(state.epoch);
  view.attempt = state.attempt;
  if (state.cause) view.cause = *state.cause;
  view.next_attempt_at = state.due_utc;
  view.degraded = state.degraded;
  view.breaker.state = to_string(state.breaker.state);
  view.breaker.consecutive_failures = state.breaker.failures;
  if (state.breaker.state == BreakerState::kOpen) view.breaker.open_until = state.due_utc;
  view.suspension = state.suspension;
  return view;
}

}  // namespace tributary::connect::lifecycle
