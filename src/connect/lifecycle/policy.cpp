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
      "description": "A connection that held so long starts again with the first wait after its next loss."},
    "connectTimeoutMs": {"type": "integer", "minimum": 100, "maximum": 600000, "x-unit": "ms", "title": "Connect timeout",
      "description": "Longest time for one attempt, from the name look-up to the first answer."},
    "requestTimeoutMs": {"type": "integer", "minimum": 50, "maximum": 600000, "x-unit": "ms", "title": "Request timeout",
      "description": "Longest time to wait for the answer to one request."},
    "healthIntervalMs": {"type": "integer", "minimum": 500, "maximum": 3600000, "x-unit": "ms", "title": "Health check after",
      "description": "A connected system that was not heard for so long is asked whether it is still there."},
    "keepAlive": {"type": "object", "additionalProperties": false, "title": "TCP keep-alive",
      "description": "How the operating system notices a peer that vanished. Used from the next attempt on.",
      "properties": {
        "idleSeconds": {"type": "integer", "minimum": 1, "maximum": 7200, "x-unit": "s", "title": "Idle time",
          "description": "Silence before the first probe."},
        "intervalSeconds": {"type": "integer", "minimum": 1, "maximum": 300, "x-unit": "s", "title": "Interval",
          "description": "Time between probes."},
        "count": {"type": "integer", "minimum": 1, "maximum": 20, "title": "Probes",
          "description": "So many probes without an answer end the connection."},
        "userTimeoutMs": {"type": "integer", "minimum": 1000, "maximum": 600000, "x-unit": "ms", "title": "Unconfirmed data",
          "description": "Data that was sent and not confirmed for so long ends the connection."}}},
    "functionBreaker": {"type": "object", "additionalProperties": false, "title": "Rest for failing functions",
      "description": "A function that fails again and again is left alone for a while; the connection and its other functions go on.",
      "properties": {
        "consecutiveFailures": {"type": "integer", "minimum": 1, "maximum": 1000, "title": "Failures in a row",
          "description": "So many failed calls in a row give the function a rest."},
        "failureRatio": {"type": "number", "exclusiveMinimum": 0, "maximum": 1, "title": "Share of failures",
          "description": "So large a part of the calls within the window gives it a rest, too."},
        "minimumCalls": {"type": "integer", "minimum": 1, "maximum": 100000, "title": "Calls for the share",
          "description": "With fewer calls in the window the share does not count."},
        "windowMs": {"type": "integer", "minimum": 1000, "maximum": 3600000, "x-unit": "ms", "title": "Window",
          "description": "Calls older than this are forgotten."},
        "openMs": {"type": "integer", "minimum": 100, "maximum": 86400000, "x-unit": "ms", "title": "Rest",
          "description": "After the rest one call is let through; when it succeeds, all are."}}},
    "rebuildSilentAfterMs": {"type": "integer", "minimum": 0, "maximum": 86400000, "x-unit": "ms", "title": "New session after silence",
      "description": "A connected session of which a subscription sent nothing for so long is made anew. 0: never. Absent: ten times what the subscription is expected to take, at least a minute; a subscription whose pace was only learnt never causes it."}
  }
})json";

// Below this, a wait for silence would end sessions that are only a little late.
constexpr std::int64_t kShortestRebuildMs = 1000;
// Settings that connectors may have themselves, where their users expect them.
constexpr std::array<std::string_view, 2> kConnectorTimeouts = {"connectTimeoutMs",
                                                                "requestTimeoutMs"};

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

template <typename T>
T count_of(const Json& object, std::string_view name, T fallback) {
  return static_cast<T>(get_int(object, name, static_cast<std::int64_t>(fallback)));
}

net::Keepalive merge(net::Keepalive keepalive, const Json& given) {
  keepalive.idle = seconds{get_int(given, "idleSeconds", keepalive.idle.count())};
  keepalive.interval = seconds{get_int(given, "intervalSeconds", keepalive.interval.count())};
  keepalive.count = count_of(given, "count", keepalive.count);
  keepalive.user_timeout =
      milliseconds{get_int(given, "userTimeoutMs", keepalive.user_timeout.count())};
  return keepalive;
}

FunctionBreakerPolicy merge(FunctionBreakerPolicy policy, const Json& given) {
  policy.consecutive_failures = count_of(given, "consecutiveFailures", policy.consecutive_failures);
  policy.failure_ratio = get_double(given, "failureRatio", policy.failure_ratio);
  policy.minimum_calls = count_of(given, "minimumCalls", policy.minimum_calls);
  policy.window = milliseconds_of(given, "windowMs", policy.window);
  policy.open = milliseconds_of(given, "openMs", policy.open);
  return policy;
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

bool has_setting(const sdk::Entry& type, std::string_view name) {
  const Json& properties = get_member(type.connection.document(), "properties");
  return !get_member(properties, name).is_null();
}

// Puts the defaults of a family where a form and a reader of the schema look for them.
void add_defaults(Json& properties, const Json& values) {
  for (auto& property : properties.object_range()) {
    const Json& value = get_member(values, property.key());
    if (value.is_object()) {
      add_defaults(property.value()["properties"], value);
    } else if (!value.is_null()) {
      property.value()["default"] = value;
    }
  }
}

Json keepalive_json(const net::Keepalive& keepalive) {
  Json json = json_object();
  json["idleSeconds"] = static_cast<std::int64_t>(keepalive.idle.count());
  json["intervalSeconds"] = static_cast<std::int64_t>(keepalive.interval.count());
  json["count"] = keepalive.count;
  json["userTimeoutMs"] = static_cast<std::int64_t>(keepalive.user_timeout.count());
  return json;
}

Json breaker_json(const FunctionBreakerPolicy& policy) {
  Json json = json_object();
  json["consecutiveFailures"] = policy.consecutive_failures;
  json["failureRatio"] = policy.failure_ratio;
  json["minimumCalls"] = policy.minimum_calls;
  json["windowMs"] = count_ms(policy.window);
  json["openMs"] = count_ms(policy.open);
  return json;
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
      policy.keepalive = {seconds{10}, seconds{3}, 3, seconds{15}};
      policy.reconnect.max_delay = seconds{60};
      policy.reconnect.max_cooldown = minutes{10};
      break;
    case sdk::Family::kCloud:
      policy.connect_timeout = seconds{15};
      policy.request_timeout = seconds{30};
      policy.health_interval = seconds{10};
      policy.keepalive = {seconds{15}, seconds{5}, 3, seconds{20}};
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

Json reconnect_schema_of(const sdk::Entry& type) {
  Json document = reconnect_schema();
  Json& properties = document["properties"];
  for (const auto name : kConnectorTimeouts) {
    if (has_setting(type, name)) properties.erase(name);
  }
  add_defaults(properties, to_json(default_policy(type.manifest.family)));
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
  const auto rebuild = get_int(reconnect, "rebuildSilentAfterMs", 0);
  if (rebuild > 0 && rebuild < kShortestRebuildMs) {
    errors.push_back({"/reconnect/rebuildSilentAfterMs", "out_of_range",
                      fmt::format("{} is below {}; 0 means never", rebuild, kShortestRebuildMs)});
  }
  return errors;
}

std::vector<schema::FieldError> validate_reconnect(const Json& reconnect, const sdk::Entry& type) {
  auto errors = validate_reconnect(reconnect);
  for (const auto name : kConnectorTimeouts) {
    if (!reconnect.is_object() || !reconnect.contains(name) || !has_setting(type, name)) continue;
    errors.push_back(
        {fmt::format("/reconnect/{}", name), "not_allowed",
         fmt::format("{} has this among its settings: /settings/{}.", type.manifest.title, name)});
  }
  return errors;
}

Policy make_policy(sdk::Family family, const Json& reconnect, const Json& settings) {
  Policy policy = default_policy(family);
  if (reconnect.is_object()) {
    policy.reconnect = widen_absent(merge(policy.reconnect, reconnect), reconnect);
    policy.connect_timeout = milliseconds_of(reconnect, "connectTimeoutMs", policy.connect_timeout);
    policy.request_timeout = milliseconds_of(reconnect, "requestTimeoutMs", policy.request_timeout);
    policy.health_interval = milliseconds_of(reconnect, "healthIntervalMs", policy.health_interval);
    policy.keepalive = merge(policy.keepalive, get_member(reconnect, "keepAlive"));
    policy.function_breaker =
        merge(policy.function_breaker, get_member(reconnect, "functionBreaker"));
    if (reconnect.contains("rebuildSilentAfterMs"))
      policy.rebuild_silent_after = milliseconds{get_int(reconnect, "rebuildSilentAfterMs", 0)};
  }
  policy.connect_timeout = milliseconds_of(settings, "connectTimeoutMs", policy.connect_timeout);
  policy.request_timeout = milliseconds_of(settings, "requestTimeoutMs", policy.request_timeout);
  return policy;
}

Json to_json(const Policy& policy) {
  const ReconnectPolicy& reconnect = policy.reconnect;
  Json json = json_object();
  json["initialDelayMs"] = count_ms(reconnect.initial_delay);
  json["maxDelayMs"] = count_ms(reconnect.max_delay);
  json["multiplier"] = reconnect.multiplier;
  json["failuresToOpen"] = reconnect.failures_to_open;
  json["cooldownMs"] = count_ms(reconnect.cooldown);
  json["maxCooldownMs"] = count_ms(reconnect.max_cooldown);
  json["automaticReset"] = reconnect.automatic_reset;
  json["stableMs"] = count_ms(reconnect.stable);
  json["connectTimeoutMs"] = count_ms(policy.connect_timeout);
  json["requestTimeoutMs"] = count_ms(policy.request_timeout);
  json["healthIntervalMs"] = count_ms(policy.health_interval);
  json["keepAlive"] = keepalive_json(policy.keepalive);
  json["functionBreaker"] = breaker_json(policy.function_breaker);
  if (policy.rebuild_silent_after)
    json["rebuildSilentAfterMs"] = count_ms(*policy.rebuild_silent_after);
  return json;
}

}  // namespace tributary::connect::lifecycle
