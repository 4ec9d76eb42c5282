// Writes down what a pipeline did: a row for each run, or one growing row for many runs in quick
// succession.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "orchestrate/model/plan.hpp"
#include "orchestrate/run/statistics.hpp"
#include "store/rows.hpp"

namespace tributary::orchestrate {

// What one node did with one batch.
struct NodeTrace {
  std::size_t node = 0;
  NodeCounts counts;
  Duration took{};
  Json first_input = Json::null();  // detail "full"
  Json first_output = Json::null();
  std::vector<std::string> log;  // of scripts: the last lines
};

constexpr std::size_t kMaxLogLines = 50;  // of a node in a run's row

struct BatchReport {
  std::string run_id;
  std::string trigger;  // node id
  UtcTime started_at;
  UtcTime ended_at;
  Duration took{};
  FlowCounts flow;
  bool cancelled = false;
  std::vector<NodeTrace> nodes;
  Json input = Json::null();  // {trigger, records}, of runs that can be run again
};

// "completed", "completed_with_errors", "failed" or "cancelled".
std::string_view run_status(const FlowCounts& flow, bool cancelled);
// The input of a run is kept up to this length, as text.
constexpr std::size_t kMaxRunInputBytes = 256 * 1024;

// Lives on the pipeline's executor. At most one row a second leaves it, manual runs aside: batches
// that follow each other within a second share a row, which is replaced as it grows and closed
// after a minute.
class Recorder {
 public:
  // `publish` gets a row to insert or replace.
  Recorder(const Plan& plan, const Executor& executor, Timers& timers,
           std::function<void(store::RunRow)> publish);

  void add(const BatchReport& report);
  // The row of one run by itself; not published: whoever asked for the run stores it.
  store::RunRow alone(const BatchReport& report) const;
  // Publishes what is pending and lets go of the timer. On the pipeline's executor.
  void close();

 private:
  struct Sum {
    store::RunRow row;
    FlowCounts flow;
    std::int64_t batches = 0;
    bool cancelled = false;
    Duration took{};
    std::vector<NodeTrace> nodes;  // by place in the plan
    SteadyTime opened;
    SteadyTime last_batch;
  };

  Sum open(const BatchReport& report) const;
  static void merge(Sum& sum, const BatchReport& report);
  store::RunRow finish(const Sum& sum) const;
  Json detail(const Sum& sum) const;
  Json node_detail(const NodeTrace& trace) const;
  void flush();
  void arm(SteadyTime when);

  const Plan& plan_;
  Executor executor_;
  Timers& timers_;
  std::function<void(store::RunRow)> publish_;
  std::optional<Sum> current_;
  bool dirty_ = false;
  std::optional<SteadyTime> last_flush_;
  std::unique_ptr<Timer> timer_;
};

}  // namespace tributary::orchestrate
