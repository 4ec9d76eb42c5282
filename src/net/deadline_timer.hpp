// Deadlines of a stream's operations at no cost per operation: setting one stores a number. At most
// one timer is armed, for the earliest moment that once mattered; when it fires early it arms
// itself again.
#pragma once

#include <array>
#include <functional>
#include <memory>

#include "runtime/task.hpp"
#include "runtime/timers.hpp"

namespace tributary::net {

enum class Slot : std::uint8_t { kRead, kWrite };

// Lives on one executor. `expired` is called there, at most once for each start().
class DeadlineTimer {
 public:
  DeadlineTimer(Executor executor, Timers& timers, std::move_only_function<void(Slot)> expired);
  DeadlineTimer(const DeadlineTimer&) = delete;
  DeadlineTimer& operator=(const DeadlineTimer&) = delete;

  // SteadyTime::max() means none.
  void start(Slot slot, SteadyTime deadline);
  void stop(Slot slot) { at(slot) = SteadyTime::max(); }
  // Stops both and disarms the timer.
  void shut_down();
  // How often a timer was armed since construction: what a test of the cost counts.
  std::size_t times_armed() const { return times_armed_; }

 private:
  SteadyTime& at(Slot slot) { return deadlines_[static_cast<std::size_t>(slot)]; }
  void arm(SteadyTime when);
  void fired();

  Executor executor_;
  Timers& timers_;
  std::move_only_function<void(Slot)> expired_;
  std::array<SteadyTime, 2> deadlines_{SteadyTime::max(), SteadyTime::max()};
  SteadyTime armed_for_ = SteadyTime::max();
  std::unique_ptr<Timer> timer_;
  std::size_t times_armed_ = 0;
};

}  // namespace tributary::net
