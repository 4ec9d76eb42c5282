// One batch on its way through all nodes of a pipeline.
#pragma once

#include "orchestrate/delivery/desk.hpp"
#include "orchestrate/run/recorder.hpp"
#include "orchestrate/run/runner.hpp"
#include "orchestrate/run/time_keeper.hpp"

namespace tributary::orchestrate {

class BatchRun {
 public:
  struct Services {
    const Executor& executor;
    Clock& clock;
    Timers& timers;
    FunctionPort& functions;
    Random& random;
    Event& stopping;
    Statistics& statistics;
    std::vector<NodeState>& states;  // by place in the plan
    const TimeKeeper& time;
    Desk* desk = nullptr;  // null: nothing is kept
    bool patient = true;   // waits for room in the spool
  };

  BatchRun(const Plan& plan, std::size_t trigger, Services services);
  Task<void> execute(std::vector<Record> records);
  // Lets every node act whose time has come; what they let go goes on through the nodes behind.
  Task<void> on_time();
  BatchReport& report() { return report_; }
  // Why nothing of the batch was kept; absent when it was, or when there is nothing to keep.
  const std::optional<Error>& not_kept() const { return not_kept_; }

 private:
  class Visit;

  Items start(std::vector<Record> records) const;
  void enter(std::vector<Record> records);
  // Through the nodes in their order; `time`: also those that are due.
  Task<void> pass_nodes(bool time);
  Task<void> visit(std::size_t node, bool time);
  // Writes down what the batch promised and what nodes hold now.
  Task<void> keep();
  // Sends an item to all targets of a port; counts it where the way ends.
  void forward(std::size_t node, std::size_t port, Item item);
  expression::Scope scope(const Item& item) const;

  const Plan& plan_;
  std::size_t trigger_;
  Services services_;
  BatchReport report_;
  Json run_;  // $run
  UtcTime now_;
  SteadyTime begun_;
  std::vector<Items> inbox_;
  std::vector<Outbox> outboxes_;
  std::int64_t promised_ends_ = 0;  // promised records whose way ended there
  std::optional<Error> not_kept_;
};

}  // namespace tributary::orchestrate
