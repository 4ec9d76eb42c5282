// Inside of the front desk: the pipelines that exist and the runners of those that are enabled. On
// the control executor.
#pragma once

#include <list>
#include <map>

#include "orchestrate/engine.hpp"
#include "orchestrate/gate.hpp"
#include "orchestrate/hooks/desk.hpp"
#include "orchestrate/run/runner.hpp"
#include "orchestrate/triggers/end_feed.hpp"
#include "orchestrate/triggers/references.hpp"

namespace tributary::orchestrate {

constexpr std::size_t kKeptRuns = 100;  // of each pipeline
constexpr std::size_t kMaxManualRecords = 10'000;

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
  };
  // A trigger that waits for the runs of other pipelines.
  struct Listener {
    std::string owner;  // id of its pipeline
    std::size_t trigger = 0;
    std::shared_ptr<Runner> runner;

    const TriggerSettings& settings() const { return *runner->plan().nodes[trigger].settings; }
  };

  Impl(Runtime& runtime, store::Store& store, std::unique_ptr<FunctionPort> functions,
       const secrets::Vault* vault);

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
  std::vector<schema::FieldError> adopt(Entry& entry, Json body, const std::string& id,
                                        const std::vector<store::SecretRow>& present,
                                        UtcTime now) const;
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

  // ---- views ----
  PipelineView view(const Entry& entry) const;
  std::string status(const Entry& entry, const Snapshot* snapshot) const;
  // The id of the connection that a trigger waits for; null when none does.
  const std::string* awaited_connection(const Entry& entry) const;
  Checked check(const store::PipelineRow& row) const;

  // ---- runs ----
  // Stores a row and tells the listeners. Any thread.
  void publish(store::RunRow row);
  void tell(store::RunRow row);

  Runtime& runtime;
  store::Store& store;
  std::unique_ptr<FunctionPort> functions;
  NodeCatalogue catalogue;
  std::map<std::string, Entry> entries;
  connect::Registration catalogue_watch;
  const secrets::Vault* vault;
  std::shared_ptr<hooks::Desk> desk;
  std::vector<Listener> ends;
  // Checks against other pipelines hold until the result is stored.
  std::shared_ptr<Gate> naming;
  std::optional<Downtime> downtime;  // while the pipelines of the store are started
  bool recheck_posted = false;
  bool closed = false;
  std::atomic<std::size_t> rows_since_trim{0};
  std::list<std::weak_ptr<std::function<void(const RunEvent&)>>> listeners;
};

// Body and row: the four members that a row has columns for, and the rest.
Json body_of(const store::PipelineRow& row);
void assign_body(store::PipelineRow& row, const Json& body);

}  // namespace tributary::orchestrate
