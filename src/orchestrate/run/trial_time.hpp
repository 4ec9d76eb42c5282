// The time of a trial: it can be set, and what waits for a time does not wait.
#pragma once

#include "runtime/timers.hpp"

namespace tributary::orchestrate {

class TrialClock final : public Clock {
 public:
  TrialClock(Clock& inner, std::optional<UtcTime> now) : inner_(inner), utc_(now) {}

  SteadyTime steady_now() const override { return inner_.steady_now() + ahead_; }
  UtcTime utc_now() const override {
    const UtcTime base = utc_ ? *utc_ : inner_.utc_now();
    return base + std::chrono::duration_cast<std::chrono::microseconds>(ahead_);
  }
  void go_ahead(Duration by) { ahead_ += by; }
  Duration ahead() const { return ahead_; }

 private:
  Clock& inner_;
  std::optional<UtcTime> utc_;
  Duration ahead_{};
};

class TrialTimers final : public Timers {
 public:
  TrialTimers(Timers& inner, const TrialClock& clock) : inner_(inner), clock_(clock) {}

  SteadyTime now() const override { return inner_.now() + clock_.ahead(); }
  std::unique_ptr<Timer> at(const Executor& executor, SteadyTime when,
                            std::move_only_function<void()> fire) override {
    return inner_.at(executor, when - clock_.ahead(), std::move(fire));
  }

 private:
  Timers& inner_;
  const TrialClock& clock_;
};

}  // namespace tributary::orchestrate
