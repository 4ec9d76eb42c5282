// The threads of the hub: one control executor (API, management) and one worker executor per core
// (connections, pipelines). Each is an io_context with one thread.
#pragma once

#include <memory>
#include <vector>

#include "base/random.hpp"
#include "base/time.hpp"
#include "runtime/task.hpp"
#include "runtime/timers.hpp"

namespace tributary {

class Runtime {
 public:
  // `workers` at least 1. Threads start at once.
  Runtime(std::size_t workers, Clock& clock, Timers& timers);
  // Over loops that somebody else runs: no threads of its own, and stop() does nothing. For
  // simulations, where one thread runs everything in virtual time.
  Runtime(Executor control, std::vector<Executor> workers, Clock& clock, Timers& timers);
  // stop()s and joins.
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  Executor control();
  Executor worker(std::size_t index);
  // Round robin.
  Executor next_worker();
  std::size_t workers() const;
  Clock& clock() { return clock_; }
  Timers& timers() { return timers_; }

  // Ends all loops, whatever is pending. Call after everything was closed politely.
  void stop();

 private:
  struct Impl;
  Clock& clock_;
  Timers& timers_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tributary
