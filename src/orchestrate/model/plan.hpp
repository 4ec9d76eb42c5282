// A pipeline made ready to run: checked, its expressions compiled, its nodes in the order in which
// batches pass them.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "connect/status_filter.hpp"
#include "orchestrate/model/overlap.hpp"
#include "orchestrate/nodes/node.hpp"
#include "orchestrate/triggers/settings.hpp"

namespace tributary::orchestrate {

enum class OnError : std::uint8_t {
  kStop,       // the record ends here, counted
  kContinue,   // the record goes on as it came, counted
  kErrorPort,  // the record leaves by the port "error", with $error
};

enum class History : std::uint8_t { kOff, kMinimal, kStandard, kFull };

// Whose waiting batches get their turn first on an executor that several pipelines share.
enum class Priority : std::uint8_t { kHigh, kNormal, kLow };

// Of one node's pinned data, as text.
constexpr std::size_t kMaxPinBytes = 256 * 1024;

// An edge as seen from the node it leads to.
struct Input {
  std::size_t node = 0;  // index into Plan::nodes
  std::size_t port = 0;
};

struct PlanNode {
  std::string id;
  TriggerKind trigger = TriggerKind::kNone;
  std::string function_id;    // of trigger.function and trigger.poll
  Duration interval{};        // of trigger.schedule and trigger.poll
  Duration timeout{};         // of trigger.poll
  std::string function_name;  // of trigger.poll
  std::string function_connection;
  std::shared_ptr<const TriggerSettings> settings;  // of triggers
  bool answers = false;            // of trigger.webhook: it leads to a respond node
  connect::StatusFilter statuses;  // of trigger.connectionStatus
  connect::DigestRule digest;      // of trigger.connectionStatus
  OnError on_error = OnError::kStop;
  bool chooses = false;            // its ports are alternatives
  std::vector<std::string> ports;  // with "error" at the end when the node has it
  std::vector<std::vector<std::size_t>>
      targets;  // by port: indices into Plan::nodes, all behind this one
  // The edges that lead here, in the order of the document, and what NodeRun::inputs calls them.
  std::vector<Input> inputs;
  std::vector<std::string> input_names;
  std::size_t continues = 0;         // the port that onError "continue" takes
  std::unique_ptr<NodeLogic> logic;  // null for triggers
  Delivery delivery;
  std::optional<Destination> destination;  // when its delivery is durable
  std::optional<std::size_t> slot;         // when an expression mentions $node("this")
  std::vector<script::Source> scripts;  // by slot: what is evaluated before the node gets its items
  ScriptUse script_use;

  bool is_end() const;
};

struct Plan {
  std::string pipeline_id;
  Json pipeline;             // $pipeline
  Json env = json_object();  // $env
  History history = History::kStandard;
  Priority priority = Priority::kNormal;
  std::vector<PlanNode> nodes;  // an edge only leads forward
  std::size_t slots = 0;
  std::vector<std::string> slot_names;  // by slot: the node's id
  bool keeps_trigger = false;
  Overlap overlap;
  bool durable = false;  // some destination is: a batch is acknowledged when it is on disk
  std::vector<std::string> functions;  // ids it refers to, each once
};

// The document of a pipeline (api-examples, POST /pipelines) as it was posted; `problems` is empty
// when it is valid.
struct Checked {
  std::vector<schema::FieldError> problems;
  // What only a script worker can check.
  struct Script {
    std::string pointer;
    script::Source source;
  };
  std::vector<Script> scripts;
  std::shared_ptr<Plan> plan;  // null when there are problems
};

// Checks a body: unknown members, types, nodes, ports and functions, functions of the wrong kind,
// cycles, unreachable nodes, expressions — each with its JSON pointer. On the control executor.
Checked check_pipeline(const Json& body, const NodeCatalogue& catalogue,
                       const FunctionPort& functions);

// How many runs of a pipeline are kept, and for how long: `keepRuns` and `keepRunsFor` of its
// document.
struct Retention {
  std::size_t keep = 100;
  Duration age = std::chrono::days{30};
};
Retention retention_of(const Json& document);

// "24h" → 24 hours. Units: ms, s, m, h, d.
std::optional<Duration> parse_duration(std::string_view text);

}  // namespace tributary::orchestrate
