// Triggers start batches; what they do lives in run/runner.cpp. Here is what their settings may
// say.
#include <fmt/format.h>

#include "orchestrate/nodes/node.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kFunctionSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "When data arrives",
  "description": "Starts with every batch of a subscribe function.",
  "type": "object",
  "required": ["functionId"],
  "properties": {
    "functionId": {"type": "string", "title": "Function", "description": "A subscribe function.", "minLength": 1, "x-widget": "function"}
  }
})";

constexpr std::string_view kScheduleSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Every so often",
  "description": "Starts on a fixed grid of time.",
  "type": "object",
  "required": ["intervalMs"],
  "properties": {
    "intervalMs": {"type": "integer", "title": "Interval", "description": "Time from one start to the next.", "minimum": 10, "maximum": 86400000, "x-unit": "ms"}
  }
})";

constexpr std::string_view kManualSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "By hand",
  "description": "Starts when somebody runs the pipeline.",
  "type": "object",
  "properties": {}
})";

std::unique_ptr<NodeLogic> check_function(NodeBuild& build) {
  const std::string id = get_string(build.settings, "functionId");
  const auto function = build.functions.find(id);
  if (!function) {
    build.error("/settings/functionId", "unknown_function",
                fmt::format("There is no function with the id '{}'.", id));
  } else if (function->kind != sdk::FunctionKind::kSubscribe) {
    build.error("/settings/functionId", "wrong_function_kind",
                fmt::format("'{}' is a {} function; a trigger needs a subscribe function.",
                            function->name, sdk::to_string(function->kind)));
  }
  return nullptr;
}

std::unique_ptr<NodeLogic> nothing_to_check(NodeBuild&) {
  return nullptr;
}

}  // namespace

NodeType trigger_function_type() {
  return {"trigger.function", true, kFunctionSchema, {"out"}, &check_function};
}
NodeType trigger_schedule_type() {
  return {"trigger.schedule", true, kScheduleSchema, {"out"}, &nothing_to_check};
}
NodeType trigger_manual_type() {
  return {"trigger.manual", true, kManualSchema, {"out"}, &nothing_to_check};
}

}  // namespace tributary::orchestrate
