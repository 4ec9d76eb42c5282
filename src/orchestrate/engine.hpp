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
#include "orchestrate/model/portable.hpp"
#include "orchestrate/ports.hpp"
#include "orchestrate/run/trial.hpp"
#include "runtime/runtime.hpp"
#include "script/script.hpp"
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
  std::int64_t filtered = 0;             // ended here without a fault
  std::int64_t dropped = 0;              // the pipeline stopped before they were delivered
  std::int64_t held = 0;                 // wait here for more records or for a time
  std::optional<DeliveryView> delivery;  // of durable destinations
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
  std::int64_t skipped = 0;    // records that the overlap policy refused; not part of records_in
  std::vector<TriggerView> triggers;
  std::optional<store::PipelineDraftRow> draft;  // what is being edited beside it
};

// What a check says about a document that nobody has to save.
struct Findings {
  std::vector<schema::FieldError> problems;  // it cannot run
  std::vector<schema::FieldError> warnings;  // it may surprise
};

struct DraftView {
  store::PipelineDraftRow row;
  Findings findings;
};

// A document that comes from another hub, with names instead of ids.
struct ImportRequest {
  enum class Conflict : std::uint8_t { kRefuse, kRename, kReplace };
  Json body;                   // of the pipeline
  Json names = json_object();  // {functions, connections, pipelines}: their name → the name here
  Conflict conflict = Conflict::kRefuse;
  bool enabled = false;  // of a pipeline that is made; one that is replaced stays as it is
};

struct ImportReport {
  std::vector<Reference> references;  // `id` empty: not found here
  std::string name;                   // what the pipeline is called here
  std::string action;                 // "create" | "rename" | "replace" | "refuse"
  std::string conflict_id;            // of the pipeline that has the name; empty: none
  Findings findings;
  std::optional<PipelineView> view;  // when it was made, or would be
};

namespace hooks {
class Desk;
}

struct RunEvent {
  store::RunRow run;
};

struct EngineOptions {
  script::Scripts* scripts = nullptr;     // null: JavaScript is refused ("script_unavailable")
  Json env = json_object();               // $env: declared variables, name → text
  const secrets::Vault* vault = nullptr;  // seals the secrets of webhooks; null: there are none
  connect::Alarms* alarms = nullptr;      // hears of room that runs out; null: nobody does
};

class Engine {
 public:
  // Without a spool pipelines with durable destinations do not run: "spool_unavailable". It
  // outlives the loops of the runtime.
  Engine(Runtime& runtime, store::Store& store, connect::Manager& manager,
         spool::Spool* spool = nullptr, EngineOptions options = {});
  // With other functions than a manager's: for tests.
  Engine(Runtime& runtime, store::Store& store, std::unique_ptr<FunctionPort> functions,
         spool::Spool* spool = nullptr, EngineOptions options = {});
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
  Task<Result<store::PipelineVersionRow>> version(std::string id, std::int64_t version);
  // Makes a new version out of an old one. Whether the pipeline is enabled stays as it is.
  Task<Outcome<PipelineView>> restore(std::string id, std::int64_t version,
                                      std::int64_t expected_version, Actor actor, bool dry_run);

  // What a save would say. Nothing is called, nothing is stored.
  Findings validate(const Json& body) const;
  // And whether its JavaScript is JavaScript.
  Task<Findings> validate_all(Json body);

  // A draft is kept beside the pipeline that runs, and may be wrong in any way. `expected_version`
  // 0: whatever there is; otherwise the draft's, or, where there is none, the pipeline's.
  std::optional<DraftView> draft(const std::string& id) const;
  Task<Result<DraftView>> save_draft(std::string id, Json body, std::int64_t expected_version,
                                     Actor actor, bool dry_run);
  Task<Result<void>> drop_draft(std::string id, std::int64_t expected_version, bool dry_run);
  // Makes the draft the running version. Errors: Invalid; "no_draft"; "version_conflict" when the
  // draft changed; "draft_outdated" when the pipeline changed since the draft was begun, unless
  // forced.
  Task<Outcome<PipelineView>> deploy(std::string id, std::int64_t expected_version, bool force,
                                     Actor actor, bool dry_run);

  // Names instead of ids, and the other way round. Errors of import: Invalid, "name_taken".
  Json exported(const PipelineView& pipeline, std::vector<Reference>& references) const;
  Task<Outcome<ImportReport>> import(ImportRequest request, Actor actor, bool dry_run);

  // Tries a document out, beside everything that runs; answers as run_trial(). `pipeline` is what
  // $pipeline shows. Errors: Invalid; kBusy "too_many_tests".
  Task<Outcome<Json>> try_out(Json body, Json pipeline, TrialOptions options);

  const NodeCatalogue& catalogue() const;
  const FunctionPort& functions() const;

  // trigger.manual: runs the pipeline once with `input` (an object, an array of objects, or null);
  // waits for the end. Errors, kFunction: "not_found", "pipeline_disabled", "no_manual_trigger",
  // "invalid_input"; kCancelled "pipeline_stopped".
  Task<Result<store::RunRow>> run(std::string id, Json input, Actor actor);
  // Runs again what a run was given, with the pipeline as it is now. Errors, kFunction: as run();
  // "run_active", "input_not_kept", "trigger_gone".
  Task<Result<store::RunRow>> rerun(std::string run_id, Actor actor);
  // Calls off a run that is at work; answers it as it was then. Errors, kFunction: "not_found",
  // "run_finished".
  Task<Result<store::RunRow>> cancel_run(std::string run_id, Actor actor);
  // Newest first, those at work included; `before` is the id to continue below.
  Task<Result<std::vector<store::RunRow>>> runs(std::string id, std::string before,
                                                std::size_t limit, store::RunFilter filter = {});
  Task<Result<store::RunRow>> find_run(std::string id);
  // What it was given, {trigger, records}; null when it was not kept.
  Task<Result<Json>> run_input(std::string id);

  // Calls of webhooks, and what their bodies may be; see hooks/hook_desk.hpp.
  std::shared_ptr<hooks::Desk> hooks() const;

  // Dead letters of a pipeline, newest first, those before `before` (an id; empty: from the start).
  // Errors: "not_found", those of the spool.
  Task<Result<std::vector<spool::DeadLetter>>> dead_letters(std::string id, std::string before,
                                                            std::size_t limit);
  Task<Result<spool::DeadLetter>> dead_letter(std::string id, std::string letter);
  // Back to their queues, or gone for good; how many there were. Empty `letters`: all of them.
  Task<Result<std::int64_t>> release_dead_letters(std::string id, std::vector<std::string> letters);
  Task<Result<std::int64_t>> delete_dead_letters(std::string id, std::vector<std::string> letters);

  // Progress of runs that are at work, finished runs and, for high-rate pipelines, a summary at
  // most once a second. On the control executor.
  connect::Registration watch_runs(std::function<void(const RunEvent&)> listener);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // what still runs when the engine goes holds a weak reference
};

}  // namespace tributary::orchestrate
