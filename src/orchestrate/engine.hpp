// Pipelines: stored, validated, enabled, run, counted. Call every member from the control executor;
// each enabled pipeline runs on a worker executor of its own choice.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connect/manager.hpp"
#include "model/json.hpp"
#include "orchestrate/ports.hpp"
#include "runtime/runtime.hpp"
#include "secrets/vault.hpp"
#include "store/store.hpp"

namespace tributary::orchestrate {

using connect::Actor;
using connect::Outcome;

struct NodeCounters {
  std::string node_id;
  std::int64_t records_in = 0;
  std::int64_t records_out = 0;
  std::int64_t errors = 0;
  std::optional<Error> last_error;
  std::optional<UtcTime> last_error_at;
  std::int64_t filtered = 0;  // ended here without a fault
  std::int64_t dropped = 0;   // the pipeline stopped before they were delivered
  Json last_failed_input =
      Json::null();  // null when there was none; long ones are cut (docs/pipelines.md)
};

// What a trigger will do, and where it is reached.
struct TriggerView {
  std::string node_id;
  std::vector<UtcTime> next_runs;  // of a schedule with cron that runs
  std::string time_zone;
  std::string path;  // of a webhook: "/hooks/…"
  std::vector<std::string> methods;
};

struct PipelineView {
  store::PipelineRow row;
  // "disabled" | "running" | "waiting" (a trigger's connection is not Connected) | "failing" (the
  // last batch failed)
  std::string status;
  std::int64_t records_in = 0;
  std::int64_t records_out = 0;  // accepted by destinations
  std::int64_t errors = 0;
  std::int64_t dropped = 0;
  std::optional<UtcTime> last_run_at;
  std::vector<NodeCounters> nodes;
  // records_in + copied = records_out + errors + filtered + dropped, always.
  std::int64_t copied = 0;
  std::int64_t filtered = 0;
  std::int64_t handled_errors =
      0;                          // failed records that went on (onError); part of none of the sums
  std::int64_t missed_ticks = 0;  // of schedules, because the pipeline was still busy
  // Of durable deliveries: "memory" until there is a spool; "none" when no destination is durable.
  std::string durability = "none";
  std::optional<Error> error;  // why an enabled pipeline cannot run: a function that is gone
  std::string waiting_reason;  // while it waits for the connection of a trigger
  std::int64_t skipped = 0;    // records that the overlap policy refused; not part of records_in
  std::vector<TriggerView> triggers;
};

namespace hooks {
class Desk;
}

struct RunEvent {
  store::RunRow run;
};

class Engine {
 public:
  // `vault` seals the secrets of webhooks; without one there are none.
  Engine(Runtime& runtime, store::Store& store, connect::Manager& manager,
         const secrets::Vault* vault = nullptr);
  // With other functions than a manager's: for tests.
  Engine(Runtime& runtime, store::Store& store, std::unique_ptr<FunctionPort> functions,
         const secrets::Vault* vault = nullptr);
  ~Engine();
  Result<void> load();  // blocking; at start, after Manager::load
  Task<void> shutdown(Duration limit);

  std::vector<PipelineView> pipelines() const;
  std::optional<PipelineView> pipeline(const std::string& id) const;
  // `body` as POST /pipelines. Invalid: unknown names, types, nodes, ports, functions of the wrong
  // kind, cycles, unreachable nodes, expressions that do not compile — each with its pointer.
  Task<Outcome<PipelineView>> create(Json body, Actor actor, bool dry_run);
  Task<Outcome<PipelineView>> update(std::string id, Json patch, std::int64_t expected_version,
                                     Actor actor, bool dry_run);
  Task<Result<void>> remove(std::string id, Actor actor);
  Task<Result<PipelineView>> set_enabled(std::string id, bool enabled, Actor actor);
  Task<Result<std::vector<store::PipelineVersionRow>>> versions(std::string id);

  // trigger.manual: runs the pipeline once with `input` (an object, an array of objects, or null);
  // waits for the end. Errors, kFunction: "not_found", "pipeline_disabled", "no_manual_trigger",
  // "invalid_input"; kCancelled "pipeline_stopped".
  Task<Result<store::RunRow>> run(std::string id, Json input, Actor actor);
  Task<Result<std::vector<store::RunRow>>> runs(std::string id, std::string before,
                                                std::size_t limit);
  Task<Result<store::RunRow>> find_run(std::string id);

  // Calls of webhooks, and what their bodies may be; see hooks/desk.hpp.
  std::shared_ptr<hooks::Desk> hooks() const;

  // Finished runs and, for high-rate pipelines, a summary at most once a second. On the control
  // executor.
  connect::Registration watch_runs(std::function<void(const RunEvent&)> listener);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // what still runs when the engine goes holds a weak reference
};

}  // namespace tributary::orchestrate
