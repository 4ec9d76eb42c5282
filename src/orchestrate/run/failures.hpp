// The last record that failed in each node of a pipeline, on its way to the store: at most once a
// second. Lives on the pipeline's executor.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "orchestrate/run/recorder.hpp"

namespace tributary::orchestrate {

class FailureKeeper {
 public:
  FailureKeeper(const Plan& plan, const Executor& executor, Timers& timers,
                std::function<void(std::vector<store::PipelineFailureRow>)> publish)
      : plan_(plan), executor_(executor), timers_(timers), publish_(std::move(publish)) {}

  void add(const BatchReport& report);
  // Publishes what is pending and lets go of the timer.
  void close();

 private:
  void flush();

  const Plan& plan_;
  Executor executor_;
  Timers& timers_;
  std::function<void(std::vector<store::PipelineFailureRow>)> publish_;
  std::map<std::string, store::PipelineFailureRow> pending_;  // by node
  std::optional<SteadyTime> last_flush_;
  std::unique_ptr<Timer> timer_;
};

}  // namespace tributary::orchestrate
