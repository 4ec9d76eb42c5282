// One batch on its way through all nodes of a pipeline.
#pragma once

#include <deque>
#include <functional>

#include "orchestrate/run/recorder.hpp"
#include "orchestrate/run/runner.hpp"
#include "orchestrate/triggers/news.hpp"

namespace tributary::orchestrate {

class BatchRun {
 public:
  struct Services {
    const Executor& executor;
    Clock& clock;
    Timers& timers;
    FunctionPort& functions;
    Random& random;
    Event& stopping;  // set when the pipeline stops, or when this batch is cancelled
    Statistics& statistics;
    std::vector<NodeState>& states;              // by place in the plan
    const bool& cancelled;                       // what is left of this batch is given up
    std::function<void(hooks::Answer)> respond;  // null: nobody waits for an answer
  };

  // `run_id`: one that was told already; a new one when it is empty.
  BatchRun(const Plan& plan, std::size_t trigger, Services services, std::string run_id = {});
  Task<void> execute(std::vector<Record> records);
  BatchReport& report() { return report_; }
  // Keeps copies of the last records that come out.
  void keep_output() { keeps_output_ = true; }
  std::deque<Json>& output() { return output_; }

 private:
  class Visit;

  Items start(std::vector<Record> records) const;
  // Sends an item to all targets of a port; counts it where the way ends.
  void forward(std::size_t node, std::size_t port, Item item);
  expression::Scope scope(const Item& item) const;
  void came_out(const Item& item);
  // Gives up what waits in front of the nodes from `first` on.
  void give_up(std::size_t first);

  const Plan& plan_;
  std::size_t trigger_;
  Services services_;
  BatchReport report_;
  Json run_;  // $run
  UtcTime now_;
  std::vector<Items> inbox_;
  bool keeps_output_ = false;
  std::deque<Json> output_;
};

}  // namespace tributary::orchestrate
