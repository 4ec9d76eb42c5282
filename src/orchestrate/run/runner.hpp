// Runs one pipeline. Lives on one executor; what comes from others is posted to it. Batches pass
// one after the other (unless the pipeline's overlap policy says otherwise), so the order of
// records is kept and everything in flight is bounded by the queue.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "orchestrate/delivery/desk.hpp"
#include "orchestrate/model/plan.hpp"
#include "orchestrate/run/failures.hpp"
#include "orchestrate/run/job_queue.hpp"
#include "orchestrate/run/live_runs.hpp"
#include "orchestrate/run/recorder.hpp"
#include "orchestrate/run/sources.hpp"
#include "orchestrate/run/statistics.hpp"
#include "orchestrate/run/time_keeper.hpp"
#include "orchestrate/run/turns.hpp"
#include "runtime/event.hpp"

namespace tributary::orchestrate {

class BatchRun;

// Calls of webhooks that wait for room in front of a pipeline, and how long each of them may.
constexpr std::size_t kMaxWaitingCalls = 256;
constexpr Duration kMostRoomWait{std::chrono::seconds{2}};

// Who wants to hear that a run has ended. Read by the runner, written by the front desk.
struct EndInterest {
  std::atomic<bool> ends{false};
  std::atomic<bool> output{false};
};

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
  // Both or none: told of ends, on the executor, while somebody is interested.
  std::shared_ptr<const EndInterest> interest{};
  std::function<void(RunEnd)> ended{};
  std::optional<Downtime> downtime{};  // of the hub, before this runner was started with it
};

// What became of a call.
struct CallResult {
  enum class Outcome : std::uint8_t {
    kAccepted,    // it waits or is at work; of a durable pipeline: it is committed
    kAnswered,    // by a respond node
    kFull,        // no room: in front of the pipeline, or on the disk
    kSkipped,     // refused by the overlap policy
    kStopped,     // the pipeline stopped, or the batch was cancelled
    kTimedOut,    // no answer in time; the run goes on
    kUnanswered,  // the run has ended without an answer
  };
  Outcome outcome = Outcome::kStopped;
  std::string run_id;
  hooks::Answer answer;
};

class Runner final : public SourceHost, public std::enable_shared_from_this<Runner> {
 public:
  Runner(std::shared_ptr<const Plan> plan, RunnerContext context);
  ~Runner() override;

  // Begins to take batches and starts the triggers. Any thread.
  void start();
  // Takes no more batches, lets the running one finish, and finishes what was accepted. What waits
  // for its destination stays in the spool. Any executor.
  Task<void> stop();

  // A batch of a trigger.function. Resumes when it is accepted: queued, or refused by the overlap
  // policy and counted; or, when a destination is durable, on disk. Error: kCancelled
  // "pipeline_stopped": the batch, or a part of it, was not taken. Any executor.
  Task<Result<void>> accept(std::size_t trigger, std::shared_ptr<const Batch> batch, Origin origin);
  // One run with these records; waits for its end. Errors: kCancelled "pipeline_stopped"; kFunction
  // "pipeline_busy": refused by the overlap policy. Any executor.
  Task<Result<store::RunRow>> run(std::size_t trigger, std::vector<Record> records);
  // A call of a webhook. Any executor.
  Task<CallResult> call(std::size_t trigger, Record record);

  // News for the triggers that wait for it. Any executor; in order when they come from one.
  void status_changed(std::size_t trigger, ConnectionNews news);
  void run_ended(std::size_t trigger, std::shared_ptr<const RunEnd> end);

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

  // ---- for its sources ----
  Offer offer(Start start) override;
  Task<Offer> offer_patiently(Start start) override;
  bool has_room() const override;
  bool stopped() const override { return stopping_.is_set(); }
  bool merges() const override { return plan_->overlap.policy == OverlapPolicy::kQueue; }
  void missed(std::int64_t ticks) override { statistics_.add_missed_ticks(ticks); }
  void source_failed(std::size_t trigger, const Error& error) override;
  void source_recovered(std::size_t trigger) override { statistics_.source_recovered(trigger); }
  std::shared_ptr<void> hold() override { return shared_from_this(); }

 private:
  struct Job;
  struct Reply;
  using JobPointer = std::shared_ptr<Job>;

  static Task<void> take_batches(std::shared_ptr<Runner> self);
  static Task<Result<void>> hand_over(std::shared_ptr<Runner> self, JobPointer job);
  static Task<Result<void>> enqueue(std::shared_ptr<Runner> self, JobPointer job, bool wait);
  static Task<CallResult> call_here(std::shared_ptr<Runner> self, JobPointer job);
  Task<void> work();
  Task<void> process(JobPointer job);
  JobPointer make_job(std::size_t trigger);
  static JobPointer to_job(Runner& runner, Start start);
  // Applies the overlap policy to a batch that comes. False: it is refused, and counted.
  bool make_way(const Job& job);
  static void keep_input(Job& job, BatchReport& report, UtcTime arrived);
  // Lets the nodes act whose time has come, and arms the timer for the next.
  Task<void> keep_time();
  // The pipeline ends: what its nodes hold is gone, unless it is on disk.
  void let_go_of_held();
  BatchRun make_run(Job& job, LiveRun& live);
  void finish(const JobPointer& job);
  void refuse(const JobPointer& job, Error error);
  void tell_end(const Job& job, const BatchReport& report, std::deque<Json> output);
  void start_sources();

  std::shared_ptr<const Plan> plan_;
  RunnerContext context_;
  Statistics statistics_;
  std::vector<NodeState> states_;  // by place in the plan
  TimeKeeper time_;
  std::unique_ptr<Desk> desk_;  // of pipelines with durable destinations
  SeededRandom random_;
  JobQueue<JobPointer> queue_;
  Event stopping_;
  Event finished_;
  Recorder recorder_;
  LiveRuns live_;
  FailureKeeper failures_;
  std::unique_ptr<Turns::Seat> seat_;
  std::vector<JobPointer> active_;
  std::size_t workers_ = 0;
  std::size_t waiting_calls_ = 0;
  std::vector<std::pair<std::size_t, std::shared_ptr<Source>>> sources_;
};

}  // namespace tributary::orchestrate
