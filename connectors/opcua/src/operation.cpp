#include "connectors/opcua/src/operation.hpp"

#include <fmt/format.h>

namespace tributary::connectors::opcua {
namespace {

using Prepared = Result<std::shared_ptr<const sdk::Operation>>;

template <typename Node>
Result<Nodes> read_nodes(const std::vector<Node>& settings) {
  Nodes nodes;
  auto names = std::make_shared<PointNames>();
  for (std::size_t i = 0; i < settings.size(); ++i) {
    auto id = parse_node_id(settings[i].node_id, fmt::format("/settings/nodes/{}/nodeId", i));
    TRIBUTARY_TRY(id);
    names->push_back(settings[i].name);
    nodes.ids.push_back(*std::move(id));
  }
  nodes.names = std::move(names);
  return nodes;
}

Prepared prepare_read(const Json& json) {
  const auto settings = ReadSettings::from_json(json);
  auto nodes = read_nodes(settings.nodes);
  TRIBUTARY_TRY(nodes);
  return std::make_shared<const ReadOperation>(*std::move(nodes), settings.max_age_ms);
}

Prepared prepare_write(const Json& json) {
  auto settings = WriteSettings::from_json(json);
  auto nodes = read_nodes(settings.nodes);
  TRIBUTARY_TRY(nodes);
  if (settings.source_time) {
    if (auto time = parse_utc(*settings.source_time); !time) {
      time.error().pointer = "/settings/sourceTime";
      return fail(std::move(time.error()));
    }
  }
  return std::make_shared<const WriteOperation>(*std::move(nodes), std::move(settings));
}

Prepared prepare_browse(const Json& json) {
  auto settings = BrowseSettings::from_json(json);
  auto start = parse_node_id(settings.node_id, "/settings/nodeId");
  TRIBUTARY_TRY(start);
  return std::make_shared<const BrowseOperation>(*std::move(start), std::move(settings));
}

Prepared prepare_call(const Json& json) {
  auto settings = CallSettings::from_json(json);
  auto object = parse_node_id(settings.object_id, "/settings/objectId");
  TRIBUTARY_TRY(object);
  auto method = parse_node_id(settings.method_id, "/settings/methodId");
  TRIBUTARY_TRY(method);
  return std::make_shared<const CallOperation>(*std::move(object), *std::move(method),
                                               std::move(settings.arguments));
}

// RFC 3339, with all its digits.
Result<UA_DateTime> read_time(const std::string& text, std::string pointer) {
  auto time = parse_utc(text);
  if (time) return from_utc(*time);
  time.error().pointer = std::move(pointer);
  return fail(std::move(time.error()));
}

Prepared prepare_history(const Json& json) {
  auto settings = HistorySettings::from_json(json);
  auto nodes = read_nodes(settings.nodes);
  TRIBUTARY_TRY(nodes);
  std::vector<UA_DateTime> times;
  for (std::size_t i = 0; i < settings.times.size(); ++i) {
    const auto time = read_time(settings.times[i], fmt::format("/settings/times/{}", i));
    TRIBUTARY_TRY(time);
    times.push_back(*time);
  }
  if (settings.mode == HistorySettings::Mode::kAtTime) {
    if (times.empty()) {
      return fail(ErrorClass::kFunction, "times_missing", "There is no time to read values at",
                  "Enter at least one.", "/settings/times");
    }
    return std::make_shared<const HistoryOperation>(*std::move(nodes), std::move(settings),
                                                    std::move(times));
  }
  std::optional<UA_DateTime> from;
  std::optional<UA_DateTime> to;
  if (!settings.from.value_or("").empty()) {
    const auto time = read_time(*settings.from, "/settings/from");
    TRIBUTARY_TRY(time);
    from = *time;
  }
  if (!settings.to.value_or("").empty()) {
    const auto time = read_time(*settings.to, "/settings/to");
    TRIBUTARY_TRY(time);
    to = *time;
  }
  if (from && to && *from >= *to) {
    return fail(ErrorClass::kFunction, "empty_period",
                fmt::format("{} is not before {}", *settings.from, *settings.to),
                "From is the older one.", "/settings/from");
  }
  return std::make_shared<const HistoryOperation>(*std::move(nodes), std::move(settings),
                                                  std::move(times));
}

Prepared prepare_subscribe(const Json& json) {
  auto settings = SubscribeSettings::from_json(json);
  auto nodes = read_nodes(settings.nodes);
  TRIBUTARY_TRY(nodes);
  constexpr double kPercent = 100;
  if (settings.deadband_type == SubscribeSettings::DeadbandType::kPercent &&
      settings.deadband > kPercent) {
    return fail(ErrorClass::kFunction, "invalid_deadband",
                fmt::format("A deadband of {} % is more than the whole range", settings.deadband),
                "It is between 0 and 100.", "/settings/deadband");
  }
  return std::make_shared<const SubscribeOperation>(*std::move(nodes), std::move(settings));
}

Prepared prepare_events(const Json& json) {
  const auto settings = EventsSettings::from_json(json);
  auto selection = select_events(settings);
  TRIBUTARY_TRY(selection);
  SubscribeSettings rhythm;
  rhythm.publishing_interval_ms = settings.publishing_interval_ms;
  rhythm.sampling_interval_ms = 0;
  rhythm.queue_size = settings.queue_size;
  rhythm.keep_alive_ms = settings.keep_alive_ms;
  rhythm.nodes.push_back({"events", settings.notifier_id});
  Nodes notifier;
  auto id = parse_node_id(settings.notifier_id, "/settings/notifierId");
  TRIBUTARY_TRY(id);
  notifier.ids.push_back(*std::move(id));
  notifier.names = std::make_shared<const PointNames>(PointNames{"events"});
  return std::make_shared<const EventsOperation>(*std::move(selection), std::move(notifier),
                                                 std::move(rhythm));
}

Result<std::string> read_event_id(const std::string& text) {
  const UA_String base64 = borrow(text);
  UA_ByteString bytes = UA_BYTESTRING_NULL;
  const auto decoded = UA_ByteString_fromBase64(&bytes, &base64);
  std::string event_id = to_std(bytes);
  UA_ByteString_clear(&bytes);
  if (decoded == UA_STATUSCODE_GOOD) return event_id;
  return fail(ErrorClass::kFunction, "invalid_base64", fmt::format("\"{}\" is no base64", text),
              "It is the eventId of the condition's event, as it came.", "/settings/eventId");
}

// Acknowledge and Confirm.
template <typename Settings>
Prepared prepare_answer(const Json& json, std::string_view operation) {
  auto settings = Settings::from_json(json);
  auto condition = parse_node_id(settings.condition_id, "/settings/conditionId");
  TRIBUTARY_TRY(condition);
  auto event_id = read_event_id(settings.event_id);
  TRIBUTARY_TRY(event_id);
  ConditionArguments arguments{*std::move(event_id), std::move(settings.comment)};
  return std::make_shared<const ConditionOperation>(condition_method(operation),
                                                    *std::move(condition), std::move(arguments));
}

std::unexpected<Error> argument_missing(std::string_view operation, std::string_view setting) {
  return fail(ErrorClass::kFunction, "missing_argument",
              fmt::format("The operation {} wants {}", operation, setting), "Enter it.",
              fmt::format("/settings/{}", setting));
}

Prepared prepare_condition(const Json& json) {
  auto settings = ConditionSettings::from_json(json);
  auto condition = parse_node_id(settings.condition_id, "/settings/conditionId");
  TRIBUTARY_TRY(condition);
  const ConditionMethod& method = condition_method(to_string(settings.operation));
  ConditionArguments arguments;
  arguments.comment = std::move(settings.comment);
  if (method.takes == ConditionMethod::Takes::kEventAndComment) {
    if (!settings.event_id) return argument_missing(method.operation, "eventId");
    auto event_id = read_event_id(*settings.event_id);
    TRIBUTARY_TRY(event_id);
    arguments.event_id = *std::move(event_id);
  }
  if (method.takes == ConditionMethod::Takes::kDuration) {
    if (!settings.shelving_time_ms) return argument_missing(method.operation, "shelvingTimeMs");
    arguments.shelving_time_ms = *settings.shelving_time_ms;
  }
  if (method.takes == ConditionMethod::Takes::kResponse) {
    if (!settings.response) return argument_missing(method.operation, "response");
    arguments.response = static_cast<std::int32_t>(*settings.response);
  }
  return std::make_shared<const ConditionOperation>(method, *std::move(condition),
                                                    std::move(arguments));
}

}  // namespace

Prepared prepare_operation(const sdk::FunctionSpec& function) {
  if (function.type == "opcua.read") return prepare_read(function.settings);
  if (function.type == "opcua.write") return prepare_write(function.settings);
  if (function.type == "opcua.browse") return prepare_browse(function.settings);
  if (function.type == "opcua.call") return prepare_call(function.settings);
  if (function.type == "opcua.history") return prepare_history(function.settings);
  if (function.type == "opcua.subscribe") return prepare_subscribe(function.settings);
  if (function.type == "opcua.events") return prepare_events(function.settings);
  if (function.type == "opcua.acknowledge")
    return prepare_answer<AcknowledgeSettings>(function.settings, "acknowledge");
  if (function.type == "opcua.confirm")
    return prepare_answer<ConfirmSettings>(function.settings, "confirm");
  if (function.type == "opcua.condition") return prepare_condition(function.settings);
  if (function.type == "opcua.endpoints") return std::make_shared<const EndpointsOperation>();
  return fail(ErrorClass::kFunction, "unknown_function",
              fmt::format("OPC UA connections have no function {}", function.type));
}

}  // namespace tributary::connectors::opcua
