// Timers, always injected: the real ones run on an io_context, a simulation's on virtual time.
#pragma once

#include <functional>
#include <memory>

#include "base/time.hpp"
#include "runtime/task.hpp"

namespace tributary {

// Cancels when it goes. After cancel() returned (on the timer's executor), the callback is never
// called.
class Timer {
 public:
  virtual ~Timer() = default;
};

class Timers {
 public:
  virtual ~Timers() = default;
  virtual SteadyTime now() const = 0;
  // Calls `fire` once on `executor`'s thread, at or after `when`; at once (posted) when that is
  // past. Call it, and drop the timer, only on that thread.
  [[nodiscard]] virtual std::unique_ptr<Timer> at(const Executor& executor, SteadyTime when,
                                                  std::move_only_function<void()> fire) = 0;
};

// Asio's timers over CLOCK_MONOTONIC.
std::unique_ptr<Timers> make_system_timers();

// Returns at or after `when`.
Task<void> sleep_until(Timers& timers, SteadyTime when);

}  // namespace tributary
