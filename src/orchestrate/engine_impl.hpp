// Inside of the front desk: the pipelines that exist and the runners of those that are enabled. On
// the control executor.
#pragma once

#include <list>
#include <map>

#include "orchestrate/engine.hpp"
#include "orchestrate/gate.hpp"
#include "orchestrate/run/runner.hpp"

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
    // Queues of a pipeline that has not run since the hub started, by node.
    std::map<std::string, spool::QueueStats> queues;
  };

  Impl(Runtime& runtime, store::Store& store, std::unique_ptr<FunctionPort> functions,
       spool::Spool* spool);

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
  // What it refers to is as it was when it was started.
  bool is_current(const Entry& entry) const;

  // ---- delivery ----
  // What waits on disk for pipelines that do not run.
  static Task<void> read_queues(std::shared_ptr<Impl> self, std::string id);
  // Connections that are back are told to the couriers that wait for them.
  void watch_connections();
  // The spool, or why there is nothing to ask.
  Result<spool::Spool*> spool_of(const std::string& id) const;

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
  spool::Spool* spool;
  connect::Registration state_watch;
  NodeCatalogue catalogue;
  std::map<std::string, Entry> entries;
  connect::Registration catalogue_watch;
  bool recheck_posted = false;
  bool closed = false;
  std::atomic<std::size_t> rows_since_trim{0};
  std::list<std::weak_ptr<std::function<void(const RunEvent&)>>> listeners;
};

// Body and row: the four members that a row has columns for, and the rest.
Json body_of(const store::PipelineRow& row);
void assign_body(store::PipelineRow& row, const Json& body);

}  // namespace tributary::orchestrate
