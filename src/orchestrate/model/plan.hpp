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
      targets;                       // by port: indices into Plan::nodes, all behind this one
  std::unique_ptr<NodeLogic> logic;  // null for triggers
  std::optional<std::size_t> slot;   // when an expression mentions $node("this")

  bool is_end() const;
};

struct Plan {
  std::string pipeline_id;
  Json pipeline;  // $pipeline
  History history = History::kStandard;
  std::vector<PlanNode> nodes;  // an edge only leads forward
  std::size_t slots = 0;
  bool keeps_trigger = false;
  Overlap overlap;
  bool durable = false;                // some destination is: a batch is acknowledged at its end
  std::vector<std::string> functions;  // ids it refers to, each once
};

// The document of a pipeline (api-examples, POST /pipelines) as it was posted; `problems` is empty
// when it is valid.
struct Checked {
  std::vector<schema::FieldError> problems;
  std::shared_ptr<Plan> plan;  // null when there are problems
};

// Checks a body: unknown members, types, nodes, ports and functions, functions of the wrong kind,
// cycles, unreachable nodes, expressions — each with its JSON pointer. On the control executor.
Checked check_pipeline(const Json& body, const NodeCatalogue& catalogue,
                       const FunctionPort& functions);

// "24h" → 24 hours. Units: ms, s, m, h, d.
std::optional<Duration> parse_duration(std::string_view text);

}  // namespace tributary::orchestrate
