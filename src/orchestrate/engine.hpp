// Pipelines: stored, validated, enabled, run, counted. Call every member from the control executor;
// each enabled pipeline runs on a worker executor of its own choice.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connect/manager.hpp"
#include "model/json.hpp"
#include "orchestrate/delivery/courier.hpp"
#include "orchestrate/ports.hpp"
#include "runtime/runtime.hpp"
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
  std::int64_t filtered = 0;             // ended here without a fault
  std::int64_t dropped = 0;              // the pipeline stopped before they were delivered
  std::int64_t held = 0;                 // wait here for more records or for a time
  std::optional<DeliveryView> delivery;  // of durable destinations
  Json last_failed_input =
      Json::null();  // null when there was none; long ones are cut (docs/pipelines.md)
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
  // records_in + copied = records_out + errors + filtered + dropped + held, always.
  std::int64_t copied = 0;
  std::int64_t filtered = 0;
  std::int64_t held = 0;  // by nodes that wait for more records or for a time
  std::int64_t handled_errors =
      0;                          // failed records that went on (onError); part of none of the sums
  std::int64_t missed_ticks = 0;  // of schedules, because the pipeline was still busy
  // "disk" when a destination is durable, else "none".
  std::string durability = "none";
  std::optional<Error> error;  // why an enabled pipeline cannot run: a function that is gone
  std::string waiting_reason;  // while it waits for the connection of a trigger
};

struct RunEvent {
  store::RunRow run;
};

class Engine {
 public:
  // Without a spool pipelines with durable destinations do not run: "spool_unavailable". It
  // outlives the loops of the runtime.
  Engine(Runtime& runtime, store::Store& store, connect::Manager& manager,
         spool::Spool* spool = nullptr);
  // With other functions than a manager's: for tests.
  Engine(Runtime& runtime, store::Store& store, std::unique_ptr<FunctionPort> functions,
         spool::Spool* spool = nullptr);
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

  // Dead letters of a pipeline, newest first, those before `before` (an id; empty: from the start).
  // Errors: "not_found", those of the spool.
  Task<Result<std::vector<spool::DeadLetter>>> dead_letters(std::string id, std::string before,
                                                            std::size_t limit);
  Task<Result<spool::DeadLetter>> dead_letter(std::string id, std::string letter);
  // Back to their queues, or gone for good; how many there were. Empty `letters`: all of them.
  Task<Result<std::int64_t>> release_dead_letters(std::string id, std::vector<std::string> letters);
  Task<Result<std::int64_t>> delete_dead_letters(std::string id, std::vector<std::string> letters);

  // Finished runs and, for high-rate pipelines, a summary at most once a second. On the control
  // executor.
  connect::Registration watch_runs(std::function<void(const RunEvent&)> listener);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // what still runs when the engine goes holds a weak reference
};

}  // namespace tributary::orchestrate
