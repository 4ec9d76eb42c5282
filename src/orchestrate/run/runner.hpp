// Runs one pipeline. Lives on one executor; what comes from others is posted to it. Batches pass
// one after the other, so the order of records is kept and everything in flight is bounded by the
// queue.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "orchestrate/delivery/desk.hpp"
#include "orchestrate/model/plan.hpp"
#include "orchestrate/run/failures.hpp"
#include "orchestrate/run/live_runs.hpp"
#include "orchestrate/run/recorder.hpp"
#include "orchestrate/run/statistics.hpp"
#include "orchestrate/run/time_keeper.hpp"
#include "orchestrate/run/turns.hpp"
#include "runtime/event.hpp"

namespace tributary::orchestrate {

// Batches that wait while one is being worked on; a source that is faster is held back.
constexpr std::size_t kMaxWaitingBatches = 8;
// News of connections that finds the queue full is looked at again after this; what comes meanwhile
// is merged.
constexpr Duration kStatusRetry{std::chrono::milliseconds{100}};

struct RunnerContext {
  Executor executor;
  Clock& clock;
  Timers& timers;
  FunctionPort& functions;
  std::function<void(store::RunRow)> publish;  // on the executor
  spool::Spool* spool = nullptr;               // null: nothing is durable
  script::Scripts* scripts = nullptr;          // null: no JavaScript
  // Rows of runs that are at work, and whether to write them down; on the executor. Null: nobody
  // wants to know.
  std::function<void(store::RunRow, bool store)> progress = nullptr;
  // The last failures of nodes, at most once a second; on the executor. Null: nobody keeps them.
  std::function<void(std::vector<store::PipelineFailureRow>)> failures = nullptr;
  // Shared with the other pipelines of the executor; null: it has the executor for itself.
  std::shared_ptr<Turns> turns = nullptr;
};

class Runner : public std::enable_shared_from_this<Runner> {
 public:
  Runner(std::shared_ptr<const Plan> plan, RunnerContext context);
  ~Runner();

  // Begins to take batches and arms the schedules. Any thread.
  void start();
  // Takes no more batches, lets the running one finish, and finishes what was accepted. What waits
  // for its destination stays in the spool. Any executor.
  Task<void> stop();

  // A batch of a trigger.function. Resumes when it is accepted: queued; or, when a destination is
  // durable, on disk. Error: kCancelled "pipeline_stopped": the batch, or a part of it, was not
  // taken. Any executor.
  Task<Result<void>> accept(std::size_t trigger, std::shared_ptr<const Batch> batch, Origin origin);
  // One run with these records; waits for its end. Error: kCancelled "pipeline_stopped". Any
  // executor.
  Task<Result<store::RunRow>> run(std::size_t trigger, std::vector<Record> records);

  // News of a connection, for a trigger.connectionStatus. Any executor; in order when they come
  // from one.
  void status_changed(std::size_t trigger, ConnectionNews news);

  // Any executor.
  void connection_is_back(std::string connection_id);
  void dead_letters_released();
  // Calls off a run that is at work: functions are not called any more, what is on its way is
  // dropped. A call that is under way is waited for. False: there is no such run, or not any more.
  // Any executor.
  Task<bool> cancel(std::string run_id);

  const Plan& plan() const { return *plan_; }
  // Null when no destination is durable. For its views, any thread.
  const Desk* desk() const { return desk_.get(); }
  Snapshot snapshot() const { return statistics_.snapshot(); }

 private:
  struct Job;
  struct Schedule;
  struct StatusTrigger;

  static Task<void> take_batches(std::shared_ptr<Runner> self);
  static Task<Result<void>> hand_over(std::shared_ptr<Runner> self, std::shared_ptr<Job> job);
  static Task<Result<void>> enqueue(std::shared_ptr<Runner> self, std::shared_ptr<Job> job,
                                    bool wait);
  Task<void> process(Job& job);
  static void keep_input(Job& job, BatchReport& report, UtcTime arrived);
  // Lets the nodes act whose time has come, and arms the timer for the next.
  Task<void> keep_time();
  // The pipeline ends: what its nodes hold is gone, unless it is on disk.
  void let_go_of_held();
  void arm(Schedule& schedule);
  void tick(Schedule& schedule);
  void note(StatusTrigger& status, ConnectionNews news);
  // Queues what is due to be told, as far as there is room, and arms the timer for the rest.
  void tell(StatusTrigger& status);

  std::shared_ptr<const Plan> plan_;
  RunnerContext context_;
  Statistics statistics_;
  std::vector<NodeState> states_;  // by place in the plan
  TimeKeeper time_;
  std::unique_ptr<Desk> desk_;  // of pipelines with durable destinations
  SeededRandom random_;
  BoundedQueue<std::shared_ptr<Job>> queue_;
  Event stopping_;
  Event finished_;
  Recorder recorder_;
  LiveRuns live_;
  FailureKeeper failures_;
  std::unique_ptr<Turns::Seat> seat_;
  std::vector<std::unique_ptr<Schedule>> schedules_;
  std::vector<std::unique_ptr<StatusTrigger>> statuses_;
};

}  // namespace tributary::orchestrate
