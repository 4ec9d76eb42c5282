// One batch on its way through all nodes of a pipeline.
#pragma once

#include <deque>
#include <functional>

#include "orchestrate/delivery/desk.hpp"
#include "orchestrate/run/observer.hpp"
#include "orchestrate/run/recorder.hpp"
#include "orchestrate/run/runner.hpp"
#include "orchestrate/run/time_keeper.hpp"
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
    std::vector<NodeState>& states;  // by place in the plan
    const TimeKeeper& time;
    Desk* desk = nullptr;                // null: nothing is kept
    bool patient = true;                 // waits for room in the spool
    script::Scripts* scripts = nullptr;  // null: no JavaScript
    BatchObserver* observer = nullptr;
    std::function<void(hooks::Answer)> respond = nullptr;  // null: nobody waits for an answer
  };

  // `run_id`: one that was told already; a new one when it is empty.
  BatchRun(const Plan& plan, std::size_t trigger, Services services, std::string run_id = {});
  // Before execute(): an empty record with this index comes to a node from nowhere.
  void feed(std::size_t node, std::int64_t index);
  Task<void> execute(std::vector<Record> records);
  // Lets every node act whose time has come; what they let go goes on through the nodes behind.
  Task<void> on_time();
  BatchReport& report() { return report_; }
  // Why nothing of the batch was kept; absent when it was, or when there is nothing to keep.
  const std::optional<Error>& not_kept() const { return not_kept_; }
  // Keeps copies of the last records that come out.
  void keep_output() { keeps_output_ = true; }
  std::deque<Json>& output() { return output_; }

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
  void came_out(const Item& item);

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
  bool keeps_output_ = false;
  std::deque<Json> output_;
};

}  // namespace tributary::orchestrate
