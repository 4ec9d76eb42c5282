// Short ways to build lifecycle states and to look at steps.
#pragma once

#include <gtest/gtest.h>

#include "connect/lifecycle/reduce.hpp"

namespace tributary::connect::lifecycle {

inline const SteadyTime kNow{std::chrono::hours{1000}};
inline const UtcTime kUtc{std::chrono::seconds{1'800'000'000}};

inline Inputs inputs_at(Duration after = {}, std::uint64_t random = 0) {
  return {kNow + after, kUtc + std::chrono::duration_cast<std::chrono::microseconds>(after),
          random};
}

inline Error error_of(ErrorClass error_class) {
  return {error_class, std::string(to_string(error_class)), "something came back"};
}

template <typename T>
std::vector<T> effects_of(const Step& step) {
  std::vector<T> found;
  for (const auto& effect : step.effects) {
    if (const auto* match = std::get_if<T>(&effect)) found.push_back(*match);
  }
  return found;
}

template <typename T>
bool has_effect(const Step& step) {
  return !effects_of<T>(step).empty();
}

// The (from, to) pairs that a step records, as text: "Connecting>Connected".
inline std::vector<std::string> rows_of(const Step& step) {
  std::vector<std::string> rows;
  for (const auto& row : effects_of<RecordHistory>(step)) {
    rows.push_back(fmt::format("{}>{}", row.from ? to_string(*row.from) : "", to_string(row.to)));
  }
  return rows;
}

inline std::optional<ArmTimer> timer_of(const Step& step, TimerKind kind) {
  for (const auto& timer : effects_of<ArmTimer>(step)) {
    if (timer.kind == kind) return timer;
  }
  return std::nullopt;
}

// Applies events one after the other; keeps the last step.
class Story {
 public:
  explicit Story(Policy policy = {}) : policy_(policy) {}

  Story& then(const Event& event, Duration after = {}) {
    clock_ += after;
    step_ = reduce(state_, event, policy_, inputs_at(clock_, random_));
    state_ = step_.next;
    return *this;
  }
  const LifecycleState& state() const { return state_; }
  const Step& step() const { return step_; }
  std::uint64_t epoch() const { return state_.epoch; }
  Duration clock() const { return clock_; }
  void set_random(std::uint64_t random) { random_ = random; }

  Story& started() { return then(Start{}).then(AttemptStarted{epoch()}); }
  Story& connected() { return started().then(Opened{epoch(), {}, {}}); }
  Story& open_failed(ErrorClass error_class) {
    return then(OpenFailed{epoch(), error_of(error_class)});
  }
  Story& lost(ErrorClass error_class) { return then(Lost{epoch(), error_of(error_class)}); }
  Story& disconnected() { return connected().lost(ErrorClass::kTransient); }
  // The armed backoff or cool-down elapses.
  Story& wait_out() {
    const auto kind = state_.status == Status::kFailed ? TimerKind::kCooldown : TimerKind::kBackoff;
    const Duration wait = state_.due ? *state_.due - (kNow + clock_) : Duration::zero();
    return then(TimerFired{kind, epoch()}, wait);
  }
  Story& reconnecting() { return disconnected().wait_out().then(AttemptStarted{epoch()}); }
  Story& failed() { return started().open_failed(ErrorClass::kConfiguration); }

 private:
  Policy policy_;
  LifecycleState state_;
  Step step_;
  Duration clock_{};
  std::uint64_t random_ = 0;
};

}  // namespace tributary::connect::lifecycle
