// trigger.pipeline, trigger.error and trigger.poll: what their settings may say. Whether a pipeline
// exists, and circles of pipelines: engine_triggers.cpp.
#include <fmt/format.h>

#include "orchestrate/nodes/node.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kPipelineSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "When a pipeline has run",
  "description": "Starts when a run of another pipeline has ended.",
  "type": "object",
  "required": ["pipelineId"],
  "properties": {
    "pipelineId": {"type": "string", "title": "Pipeline", "description": "Whose runs.", "minLength": 1, "x-widget": "pipeline"},
    "on": {"type": "string", "title": "On", "description": "success: nothing failed. failure: something did. any: also what was cancelled.", "enum": ["success", "failure", "any"], "default": "success"},
    "output": {"type": "boolean", "title": "With the output", "description": "The record has the last records that came out of the run, ten at most.", "default": false}
  }
})";

constexpr std::string_view kErrorSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "When something fails",
  "description": "Starts when a record fails in another pipeline.",
  "type": "object",
  "properties": {
    "pipelineIds": {"type": "array", "title": "Pipelines", "description": "Only these; none means all others.", "items": {"type": "string", "minLength": 1}, "maxItems": 1000, "uniqueItems": true, "default": []},
    "handled": {"type": "boolean", "title": "Handled ones, too", "description": "Also errors after which the record went on (onError).", "default": false},
    "debounceMs": {"type": "integer", "title": "Debounce", "description": "One error (pipeline, node and code) is told at most once in this time, with the number of those that were not.", "minimum": 0, "maximum": 86400000, "default": 10000, "x-unit": "ms"}
  }
})";

constexpr std::string_view kPollSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "When a value changes",
  "description": "Calls a read function on a fixed grid of time and starts with what changed.",
  "type": "object",
  "required": ["functionId", "intervalMs"],
  "properties": {
    "functionId": {"type": "string", "title": "Function", "description": "A read function.", "minLength": 1, "x-widget": "function"},
    "intervalMs": {"type": "integer", "title": "Interval", "description": "Time from one call to the next. A call that takes longer is not overtaken; the ticks it misses are counted.", "minimum": 10, "maximum": 86400000, "x-unit": "ms"},
    "reportOn": {"type": "string", "title": "Report", "description": "change: only points that changed, and rows when any differs from before. always: everything.", "enum": ["change", "always"], "default": "change"},
    "deadband": {"type": "number", "title": "Deadband", "description": "A number that moved by no more than this has not changed.", "minimum": 0, "default": 0},
    "parameters": {"type": "object", "title": "Parameters", "description": "Values for the function's ((placeholders)).", "additionalProperties": true, "default": {}, "x-widget": "json"}
  }
})";

std::unique_ptr<NodeLogic> nothing_to_check(NodeBuild&) {
  return nullptr;
}

std::unique_ptr<NodeLogic> check_poll(NodeBuild& build) {
  const std::string id = get_string(build.settings, "functionId");
  const auto function = build.functions.find(id);
  if (!function) {
    build.error("/settings/functionId", "unknown_function",
                fmt::format("There is no function with the id '{}'.", id));
  } else if (function->kind != sdk::FunctionKind::kRead) {
    build.error("/settings/functionId", "wrong_function_kind",
                fmt::format("'{}' is a {} function; only a read function can be polled.",
                            function->name, sdk::to_string(function->kind)));
  }
  if (get_string(build.settings, "reportOn") == "always" &&
      get_double(build.settings, "deadband", 0) > 0) {
    build.error("/settings/deadband", "invalid",
                "A deadband has a meaning only when changes are reported.");
  }
  return nullptr;
}

}  // namespace

NodeType trigger_pipeline_type() {
  return {"trigger.pipeline", true, kPipelineSchema, {"out"}, &nothing_to_check};
}
NodeType trigger_error_type() {
  return {"trigger.error", true, kErrorSchema, {"out"}, &nothing_to_check};
}
NodeType trigger_poll_type() {
  return {"trigger.poll", true, kPollSchema, {"out"}, &check_poll};
}

}  // namespace tributary::orchestrate
