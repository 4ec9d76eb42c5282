#include "connect/lifecycle/policy.hpp"

namespace tributary::connect::lifecycle {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view kReconnectSchema = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "title": "Reconnecting",
  "description": "How long to wait between attempts and when to give a peer a rest. Absent members take the defaults of the connector's family.",
  "additionalProperties": false,
  "properties": {
    "initialDelayMs": {"type": "integer", "minimum": 10, "maximum": 600000, "x-unit": "ms", "title": "First wait",
      "description": "Wait before the first automatic attempt after a loss."},
    "maxDelayMs": {"type": "integer", "minimum": 10, "maximum": 3600000, "x-unit": "ms", "title": "Longest wait",
      "description": "Waits grow up to this."},
    "multiplier": {"type": "number", "minimum": 1, "maximum": 10, "title": "Growth",
      "description": "Each wait is this many times the one before."},
    "failuresToOpen": {"type": "integer", "minimum": 1, "maximum": 1000, "title": "Failures until Failed",
      "description": "So many failed attempts in a row open the circuit breaker."},
    "cooldownMs": {"type": "integer", "minimum": 100, "maximum": 86400000, "x-unit": "ms", "title": "Cool-down",
      "description": "Rest before a Failed connection is probed again; doubles with each failed probe."},
    "maxCooldownMs": {"type": "integer", "minimum": 100, "maximum": 86400000, "x-unit": "ms", "title": "Longest cool-down",
      "description": "The cool-down grows up to this."},
    "automaticReset": {"type": "boolean", "title": "Probe by itself",
      "description": "Off: a Failed connection waits for a person."},
    "stableMs": {"type": "integer", "minimum": 0, "maximum": 3600000, "x-unit": "ms", "title": "Stable after",
      "description": "A connection that held so long starts again with the first wait after its next loss."}
  }
})json";

const schema::Schema& compiled_schema() {
  static const schema::Schema schema = [] {
    auto compiled = schema::Schema::compile(reconnect_schema());
    // The text above is ours: if it does not compile, the program is wrong, not its input.
    if (!compiled) throw std::logic_error("reconnect schema: " + compiled.error().message);
    return *std::move(compiled);
  }();
  return schema;
}

Duration milliseconds_of(const Json& object, std::string_view name, Duration fallback) {
  const auto fallback_ms = std::chrono::duration_cast<milliseconds>(fallback).count();
  return milliseconds{get_int(object, name, fallback_ms)};
}

std::int64_t count_ms(Duration duration) {
  return std::chrono::duration_cast<milliseconds>(duration).count();
}

ReconnectPolicy merge(ReconnectPolicy policy, const Json& reconnect) {
  policy.initial_delay = milliseconds_of(reconnect, "initialDelayMs", policy.initial_delay);
  policy.max_delay = milliseconds_of(reconnect, "maxDelayMs", policy.max_delay);
  policy.multiplier = get_double(reconnect, "multiplier", policy.multiplier);
  policy.failures_to_open =
      static_cast<int>(get_int(reconnect, "failuresToOpen", policy.failures_to_open));
  policy.cooldown = milliseconds_of(reconnect, "cooldownMs", policy.cooldown);
  policy.max_cooldown = milliseconds_of(reconnect, "maxCooldownMs", policy.max_cooldown);
  policy.automatic_reset = get_bool(reconnect, "automaticReset", policy.automatic_reset);
  policy.stable = milliseconds_of(reconnect, "stableMs", policy.stable);
  return policy;
}

// Only the longer of two bounds was given, or only the shorter: the absent one follows, so that one
// edit is enough.
ReconnectPolicy widen_absent(ReconnectPolicy policy, const Json& reconnect) {
  const auto align = [](Duration& low, Duration& high, bool low_given) {
    if (low <= high) return;
    if (low_given) {
      high = low;
    } else {
      low = high;
    }
  };
  align(policy.initial_delay, policy.max_delay, reconnect.contains("initialDelayMs"));
  align(policy.cooldown, policy.max_cooldown, reconnect.contains("cooldownMs"));
  return policy;
}

void check_order(const Json& reconnect, std::string_view low, std::string_view high,
                 std::vector<schema::FieldError>& errors) {
  if (!reconnect.contains(low) || !reconnect.contains(high)) return;
  const auto low_value = get_int(reconnect, low, 0);
  const auto high_value = get_int(reconnect, high, 0);
  if (low_value <= high_value) return;
  errors.push_back({fmt::format("/reconnect/{}", high), "out_of_range",
                    fmt::format("{} is below {} ({})", high_value, low, low_value)});
}

}  // namespace

Policy default_policy(sdk::Family family) {
  Policy policy;  // the members' defaults are those of a field device
  switch (family) {
    case sdk::Family::kFieldDevice:
      break;
    case sdk::Family::kBroker:
      policy.connect_timeout = seconds{10};
      policy.request_timeout = seconds{10};
      policy.health_interval = seconds{8};
      policy.reconnect.max_delay = seconds{60};
      policy.reconnect.max_cooldown = minutes{10};
      break;
    case sdk::Family::kCloud:
      policy.connect_timeout = seconds{15};
      policy.request_timeout = seconds{30};
      policy.health_interval = seconds{10};
      policy.reconnect.max_delay = seconds{120};
      policy.reconnect.max_cooldown = minutes{15};
      break;
  }
  return policy;
}

const Json& reconnect_schema() {
  static const Json document = Json::parse(kReconnectSchema);
  return document;
}

std::vector<schema::FieldError> validate_reconnect(const Json& reconnect) {
  if (reconnect.is_null()) return {};
  schema::ValidateOptions options;
  options.base_pointer = "/reconnect";
  auto errors = compiled_schema().validate(reconnect, options);
  if (!errors.empty()) return errors;
  check_order(reconnect, "initialDelayMs", "maxDelayMs", errors);
  check_order(reconnect, "cooldownMs", "maxCooldownMs", errors);
  return errors;
}

Policy make_policy(sdk::Family family, const Json& reconnect, const Json& settings) {
  Policy policy = default_policy(family);
  if (reconnect.is_object()) {
    policy.reconnect = widen_absent(merge(policy.reconnect, reconnect), reconnect);
  }
  policy.connect_timeout = milliseconds_of(settings, "connectTimeoutMs", policy.connect_timeout);
  policy.request_timeout = milliseconds_of(settings, "requestTimeoutMs", policy.request_timeout);
  return policy;
}

Json to_json(const ReconnectPolicy& policy) {
  Json json = json_object();
  json["initialDelayMs"] = count_ms(policy.initial_delay);
  json["maxDelayMs"] = count_ms(policy.max_delay);
  json["multiplier"] = policy.multiplier;
  json["failuresToOpen"] = policy.failures_to_open;
  json["cooldownMs"] = count_ms(policy.cooldown);
  json["maxCooldownMs"] = count_ms(policy.max_cooldown);
  json["automaticReset"] = policy.automatic_reset;
  json["stableMs"] = count_ms(policy.stable);
  return json;
}

}  // namespace tributary::connect::lifecycle
