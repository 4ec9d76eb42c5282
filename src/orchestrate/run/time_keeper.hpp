// When the nodes of a pipeline want to be called by the clock, and the one timer for it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "orchestrate/model/plan.hpp"
#include "runtime/timers.hpp"

namespace tributary::orchestrate {

// A wait for a time of day looks at the clock at least this often: it may be set.
constexpr Duration kWallClockCheck{std::chrono::minutes{1}};

// Lives on the pipeline's executor.
class TimeKeeper {
 public:
  TimeKeeper(const Plan& plan, const std::vector<NodeState>& states, Executor executor,
             Clock& clock, Timers& timers);

  // The pipeline's own time: UTC as it was when the pipeline started, and on from there by the
  // monotonic clock. A step of the wall clock does not move it.
  UtcTime now() const;
  bool is_due(std::size_t node) const;
  // The first node whose time has come.
  std::optional<std::size_t> first_due() const;
  // How long it is to the next node's time; nullopt: none waits for one.
  std::optional<Duration> until_next() const;
  // Calls `wake` when the next node is due; replaces what was armed before.
  void arm(std::function<void()> wake);
  void disarm() { timer_.reset(); }

 private:
  std::optional<Due> due(std::size_t node) const;

  const Plan& plan_;
  const std::vector<NodeState>& states_;
  Executor executor_;
  Clock& clock_;
  Timers& timers_;
  UtcTime utc_start_;
  SteadyTime steady_start_;
  SteadyTime armed_;
  std::unique_ptr<Timer> timer_;
};

}  // namespace tributary::orchestrate
