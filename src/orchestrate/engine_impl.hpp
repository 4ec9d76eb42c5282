// Inside of the front desk: the pipelines that exist and the runners of those that are enabled. On
// the control executor.
#pragma once

#include <list>
#include <map>

#include "orchestrate/delivery/room_watch.hpp"
#include "orchestrate/engine.hpp"
#include "orchestrate/gate.hpp"
#include "orchestrate/hooks/hook_desk.hpp"
#include "orchestrate/run/runner.hpp"
#include "orchestrate/triggers/end_feed.hpp"
#include "orchestrate/triggers/references.hpp"

namespace tributary::orchestrate {

// Old runs are looked for this often, besides every twentieth row that is written.
constexpr Duration kTrimInterval = std::chrono::hours{1};
// Queues and their disk are looked at this often.
constexpr Duration kRoomInterval = std::chrono::seconds{2};
constexpr std::size_t kMaxManualRecords = 10'000;

constexpr int kMaxTrials = 4;  // at once

struct Engine::Impl : std::enable_shared_from_this<Engine::Impl> {
  struct Entry {
    store::PipelineRow row;
    std::shared_ptr<Gate> gate;
    // Kept after a stop for its counters.
    std::shared_ptr<Runner> runner;
    bool running = false;
    std::vector<connect::Registration> subscriptions;
    std::optional<Error> error;
    // The functions it refers to, as they were when it was started.
    std::map<std::string, std::optional<FunctionInfo>> functions;
    // The connections that its triggers name, and whether they were there.
    std::map<std::string, bool> connections;
    // The pipelines that its triggers name, and whether they were there.
    std::map<std::string, bool> pipelines;
    std::vector<store::SecretRow> secrets;  // of its webhooks
    std::shared_ptr<EndFeed> feed;          // what its runner tells of its runs
    // The next starts of its schedules, as they were computed last.
    mutable std::map<std::string, std::vector<UtcTime>> next_runs;
    store::PipelineDraftRow draft;                              // document null: there is none
    std::map<std::string, store::PipelineFailureRow> failures;  // by node: the last one
    // Queues of a pipeline that has not run since the hub started, by node.
    std::map<std::string, spool::QueueStats> queues;
  };
  // A trigger that waits for the runs of other pipelines.
  struct Listener {
    std::string owner;  // id of its pipeline
    std::size_t trigger = 0;
    std::shared_ptr<Runner> runner;

    const TriggerSettings& settings() const { return *runner->plan().nodes[trigger].settings; }
  };

  Impl(Runtime& runtime, store::Store& store, std::unique_ptr<FunctionPort> functions,
       spool::Spool* spool, EngineOptions options);

  // ---- life ----
  void start(Entry& entry);
  // Takes the runner out of service and returns it for stop(); null when none runs.
  std::shared_ptr<Runner> detach(Entry& entry);
  Task<void> restart(std::string id);
  // Enters the gate of a pipeline; null when it does not exist (any more).
  Task<std::shared_ptr<Gate>> enter(std::string id);
  void recheck_functions();
  std::map<std::string, std::optional<FunctionInfo>> functions_of(
      const store::PipelineRow& row) const;
  std::map<std::string, bool> connections_of(const store::PipelineRow& row) const;
  std::map<std::string, bool> pipelines_of(const store::PipelineRow& row) const;
  // What it refers to is as it was when it was started.
  bool is_current(const Entry& entry) const;

  // ---- triggers (engine_triggers.cpp) ----
  // Gives an entry a new body and its secrets. What is wrong with it, each with its pointer.
  Task<Checked> adopt(Entry& entry, Json body, std::string id,
                      std::vector<store::SecretRow> present);
  // What the document says against other pipelines.
  std::vector<schema::FieldError> check_against_others(const store::PipelineRow& row) const;
  // Makes known what a runner that was just started waits for, and what can be called.
  void open_triggers(Entry& entry);
  void close_triggers(const Entry& entry);
  // The entry's callbacks for its runner.
  void listen_to_ends(Entry& entry, RunnerContext& context);
  void refresh_interest(const Entry& entry) const;
  void pass_on(const std::shared_ptr<EndFeed>& feed);
  std::vector<TriggerView> triggers_of(const Entry& entry) const;
  // Checks a body and makes it the next version of the pipeline, whose gate is held. With
  // `deploys`, its draft is done with.
  Task<Outcome<PipelineView>> replace(std::string id, Json body, std::string actor, bool dry_run,
                                      bool deploys);
  RunnerContext context_of(Entry& entry);
  void read_rows(std::vector<store::PipelineDraftRow> drafts,
                 std::vector<store::PipelineFailureRow> failures);
  // ---- delivery ----
  // What waits on disk for pipelines that do not run.
  static Task<void> read_queues(std::shared_ptr<Impl> self, std::string id);
  // Connections that are back are told to the couriers that wait for them.
  void watch_connections();
  // Looks how full queues and disk are, and does so again later.
  void watch_room();
  std::vector<QueueRoom> queue_rooms() const;
  // The spool, or why there is nothing to ask.
  Result<spool::Spool*> spool_of(const std::string& id) const;

  // ---- views ----
  PipelineView view(const Entry& entry) const;
  std::string status(const Entry& entry, const Snapshot* snapshot) const;
  // The id of the connection that a trigger waits for; null when none does.
  const std::string* awaited_connection(const Entry& entry) const;
  Checked check(const store::PipelineRow& row) const;
  // check_pipeline(), and what only a script worker knows: whether JavaScript is JavaScript.
  Task<Checked> check_all(Json body);

  // ---- runs ----
  // Stores a row and tells the listeners. Any thread.
  void publish(store::RunRow row, const Retention& retention);
  void tell(store::RunRow row);
  // The runner of a pipeline that can be run now, and the row of its end. On the control executor.
  Result<std::shared_ptr<Runner>> runner_of(const std::string& pipeline_id) const;
  Task<Result<store::RunRow>> run_alone(std::shared_ptr<Runner> runner, std::size_t trigger,
                                        std::vector<Record> records, std::string rerun_of);
  void keep_failures(std::vector<store::PipelineFailureRow> rows);
  // Forgets runs that are too old or too many, of every pipeline, and does so again later.
  void trim_runs();

  // ---- names ----
  HubNames names() const;

  Runtime& runtime;
  store::Store& store;
  std::unique_ptr<FunctionPort> functions;
  spool::Spool* spool;
  connect::Registration state_watch;
  EngineOptions options;
  NodeCatalogue catalogue;
  std::map<std::string, Entry> entries;
  connect::Registration catalogue_watch;
  std::shared_ptr<hooks::Desk> desk;
  std::vector<Listener> ends;
  // Checks against other pipelines hold until the result is stored.
  std::shared_ptr<Gate> naming;
  std::optional<Downtime> downtime;  // while the pipelines of the store are started
  bool recheck_posted = false;
  bool closed = false;
  std::atomic<std::size_t> rows_since_trim{0};
  std::list<std::weak_ptr<std::function<void(const RunEvent&)>>> listeners;
  std::map<std::string, store::RunRow> live;  // runs that are at work, as they were told last
  std::map<const asio::execution_context*, std::shared_ptr<Turns>> turns;  // by worker
  std::unique_ptr<Timer> trim_timer;
  std::optional<RoomWatch> room_watch;
  std::unique_ptr<Timer> room_timer;
  int trials = 0;  // at work
};

using connect::invalid;
using connect::refused;

std::unexpected<Error> no_such_pipeline();

// Body and row: the four members that a row has columns for, and the rest.
Json body_of(const store::PipelineRow& row);
void assign_body(store::PipelineRow& row, const Json& body);

}  // namespace tributary::orchestrate
