// Trying a pipeline out: a document runs once with given records, beside everything that runs. Its
// destinations are not called unless that is asked for; nothing is counted, kept or written to
// disk.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connect/manager.hpp"
#include "orchestrate/model/plan.hpp"
#include "orchestrate/ports.hpp"

namespace tributary::orchestrate {

constexpr std::size_t kMaxTrialRecords = 1000;              // of the input
constexpr std::size_t kMaxTrialKept = 1000;                 // of each node, in and out
constexpr std::size_t kMaxTrialBytes = 4 * 1024 * 1024;     // of all that is kept, as text
constexpr std::size_t kMaxTrialSteps = 1000;                // of the clock that is put forward
constexpr Duration kTrialLimit = std::chrono::seconds{30};  // of the clock on the wall

struct TrialOptions {
  std::vector<Record> input;
  bool has_input = false;     // otherwise the trigger's pin, or one empty record
  std::string trigger;        // node id; empty: the first trigger
  std::string until;          // runs up to and including this node; empty: all
  Json pins = json_object();  // node id → what it gives: besides and above the document's pins
  bool call_destinations = false;
  bool call_reads = true;
  std::optional<UtcTime> now;  // what the clock shows; absent: the time of day
};

// The members input, trigger, until, pins, destinations ("stub" | "call"), reads ("call" | "stub")
// and now of a request. Everything that is wrong with them is added to `errors`.
TrialOptions read_trial_options(const Json& body, std::vector<schema::FieldError>& errors);

struct TrialContext {
  const NodeCatalogue& catalogue;
  FunctionPort& functions;
  Clock& clock;
  Timers& timers;
  script::Scripts* scripts;     // null: JavaScript fails with "script_unavailable"
  std::shared_ptr<void> owner;  // of all of them: kept as long as anything of the trial is at work
};

// Checks `body` and gets the trial ready. On the control executor. Errors: Invalid, with pointers
// into the document, or into the options (/until, /trigger, /pins/…).
std::expected<std::shared_ptr<class Trial>, connect::Invalid> prepare_trial(const Json& body,
                                                                            const Json& pipeline,
                                                                            TrialOptions options,
                                                                            TrialContext context);

// Runs it on `executor`, for kTrialLimit at the longest:
//   {"success", "timedOut", "truncated", "trigger", "durationMs", "counts",
//    "nodes": [{"nodeId", "type", "in", "out": {port: [record]}, "errors", "wouldHaveSent",
//               "tookMs", "pinned", "visited"}],
//    "output": [{"nodeId", "port", "record"}], "wouldHaveSent": [{"nodeId", …}]}
Task<Json> run_trial(std::shared_ptr<Trial> trial, Executor executor);

}  // namespace tributary::orchestrate
