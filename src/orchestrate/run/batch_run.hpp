// One batch on its way through all nodes of a pipeline.
#pragma once

#include "orchestrate/delivery/desk.hpp"
#include "orchestrate/run/observer.hpp"
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
    Desk* desk = nullptr;                // null: nothing is kept
    bool patient = true;                 // waits for room in the spool
    script::Scripts* scripts = nullptr;  // null: no JavaScript
    BatchObserver* observer = nullptr;
  };

  BatchRun(const Plan& plan, std::size_t trigger, Services services);
  // Before execute(): an empty record with this index comes to a node from nowhere.
  void feed(std::size_t node, std::int64_t index);
  Task<void> execute(std::vector<Record> records);
  // Lets every node act whose time has come; what they let go goes on through the nodes behind.
  Task<void> on_time();
  BatchReport& report() { return report_; }
  // Why nothing of the batch was kept; absent when it was, or when there is nothing to keep.
  const std::optional<Error>& not_kept() const { return not_kept_; }

 private:
  class Visit;
  // Once the run is called off, functions are not called any more.
  class Calls final : public PortDecorator {
   public:
    Calls(FunctionPort& inner, const BatchObserver& observer)
        : PortDecorator(inner), observer_(observer) {}
    Task<Result<Batch>> execute(std::string id, Json parameters, Duration timeout) override {
      if (observer_.cancelled()) return refuse();
      return PortDecorator::execute(std::move(id), std::move(parameters), timeout);
    }

    Task<std::vector<Result<Batch>>> execute_all(std::string id, std::vector<Json> parameters,
                                                 Duration timeout, connect::Calls calls) override {
      if (observer_.cancelled()) return refuse_all(parameters.size());
      return PortDecorator::execute_all(std::move(id), std::move(parameters), timeout, calls);
    }

   private:
    static Task<Result<Batch>> refuse();
    static Task<std::vector<Result<Batch>>> refuse_all(std::size_t count);

    const BatchObserver& observer_;
  };

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
  // Evaluates the node's JavaScript for all of its items; those that a stop came before are
  // dropped.
  Task<void> compute(const PlanNode& node, Visit& visit, Items& items);
  // The run was called off: what is on its way is dropped, where it is.
  void drop_rest();

  const Plan& plan_;
  std::size_t trigger_;
  Services services_;
  BatchObserver nobody_;
  BatchObserver& observer_;
  Calls calls_;
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
