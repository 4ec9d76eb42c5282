// Triggers start batches; what they do lives in run/. Here is what their settings may
// say.
#include <fmt/format.h>

#include "orchestrate/nodes/node.hpp"
#include "orchestrate/schedule/cron.hpp"

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
  "title": "On a schedule",
  "description": "Starts at times of the calendar, or on a fixed grid of time.",
  "type": "object",
  "properties": {
    "cron": {"type": "string", "title": "Schedule", "description": "Minute, hour, day, month, weekday; with the second in front when there are six fields; or a macro such as @daily.", "minLength": 1, "maxLength": 256, "examples": ["30 6 * * MON-FRI", "*/10 * * * * *", "@hourly"]},
    "timeZone": {"type": "string", "title": "Time zone", "description": "Whose clock the schedule follows: an IANA name.", "minLength": 1, "maxLength": 64, "default": "UTC", "examples": ["Europe/Istanbul"]},
    "catchUp": {"type": "string", "title": "After a stop of the hub", "description": "none: times that went by are left out. last: the last of them is made up for, once.", "enum": ["none", "last"], "default": "none"},
    "intervalMs": {"type": "integer", "title": "Interval", "description": "Instead of a schedule: time from one start to the next.", "minimum": 10, "maximum": 86400000, "x-unit": "ms"}
  }
})";

constexpr std::string_view kManualSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "By hand",
  "description": "Starts when somebody runs the pipeline.",
  "type": "object",
  "properties": {}
})";

constexpr std::string_view kConnectionStatusSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "When a connection changes its status",
  "description": "Starts with one record for each change that is told.",
  "type": "object",
  "properties": {
    "connectionIds": {"type": "array", "title": "Connections", "description": "Only these; none means all.", "items": {"type": "string", "minLength": 1}, "maxItems": 1000, "uniqueItems": true, "default": []},
    "labels": {"type": "object", "title": "Labels", "description": "Only connections that have all of these labels.", "additionalProperties": {"type": "string", "maxLength": 256}, "default": {}},
    "type": {"type": "string", "title": "Connector", "description": "Only connections of this connector, for example modbus.", "minLength": 1, "maxLength": 64},
    "from": {"type": "array", "title": "From", "description": "Only changes that leave one of these; none means any.", "maxItems": 7, "uniqueItems": true, "default": [],
      "items": {"type": "string", "enum": ["Idle", "Connecting", "Connected", "Disconnected", "Reconnecting", "Failed", "Suspended"]}},
    "to": {"type": "array", "title": "To", "description": "Only changes that lead to one of these; none means any.", "maxItems": 7, "uniqueItems": true, "default": [],
      "items": {"type": "string", "enum": ["Idle", "Connecting", "Connected", "Disconnected", "Reconnecting", "Failed", "Suspended"]}},
    "forMs": {"type": "integer", "title": "For", "description": "Only when it has held that long. Disconnected, Reconnecting and Failed are one outage: attempts in between do not end it.", "minimum": 0, "maximum": 86400000, "default": 0, "x-unit": "ms"},
    "debounceMs": {"type": "integer", "title": "Debounce", "description": "At most one record of each connection in this time; the latest state is told at its end, with the number of changes that were not.", "minimum": 0, "maximum": 86400000, "default": 10000, "x-unit": "ms"}
  }
})";

std::unique_ptr<NodeLogic> check_connections(NodeBuild& build) {
  const Json& ids = get_member(build.settings, "connectionIds");
  for (std::size_t i = 0; ids.is_array() && i < ids.size(); ++i) {
    const auto id = ids[i].as<std::string>();
    if (build.functions.has_connection(id)) continue;
    build.error(fmt::format("/settings/connectionIds/{}", i), "unknown_connection",
                fmt::format("There is no connection with the id '{}'.", id));
  }
  const std::string type = get_string(build.settings, "type");
  if (!type.empty() && !build.functions.has_type(type)) {
    build.error("/settings/type", "unknown_type",
                fmt::format("This build has no connector '{}'.", type));
  }
  return nullptr;
}

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

std::unique_ptr<NodeLogic> check_schedule(NodeBuild& build) {
  const Json& settings = build.settings;
  const bool cron = settings.contains("cron");
  if (cron == settings.contains("intervalMs")) {
    build.error(cron ? "/settings/intervalMs" : "/settings/cron", cron ? "invalid" : "required",
                "A schedule has either cron or intervalMs.");
    return nullptr;
  }
  if (cron) {
    const auto parsed = schedule::Cron::parse(get_string(settings, "cron"));
    if (!parsed) {
      build.error("/settings/cron", "invalid_cron",
                  fmt::format("{} (column {})", parsed.error().message, parsed.error().column));
    }
  } else if (get_string(settings, "catchUp") == "last") {
    build.error("/settings/catchUp", "invalid",
                "An interval begins anew with the hub: there is nothing to make up for.");
  }
  const auto zone = connect::Zone::find(get_string(settings, "timeZone", "UTC"));
  if (!zone) {
    build.error("/settings/timeZone", "unknown_zone",
                fmt::format("{} {}", zone.error().message, zone.error().hint));
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
  return {"trigger.schedule", true, kScheduleSchema, {"out"}, &check_schedule};
}
NodeType trigger_manual_type() {
  return {"trigger.manual", true, kManualSchema, {"out"}, &nothing_to_check};
}
NodeType trigger_connection_status_type() {
  return {"trigger.connectionStatus", true, kConnectionStatusSchema, {"out"}, &check_connections};
}

}  // namespace tributary::orchestrate
