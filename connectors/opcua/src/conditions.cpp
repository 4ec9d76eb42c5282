#include "connectors/opcua/src/conditions.hpp"

#include <fmt/format.h>
#include <open62541/nodeids.h>

#include <algorithm>

#include "connectors/opcua/src/browsing.hpp"
#include "connectors/opcua/src/definitions.hpp"
#include "connectors/opcua/src/errors.hpp"
#include "runtime/log.hpp"

namespace tributary::connectors::opcua {
namespace {

constexpr const char* kBaseEventType = "i=2041";
constexpr std::string_view kWatching = "subscribing to events";
constexpr std::string_view kOperating = "operating a condition";
constexpr std::string_view kRefreshing = "asking for the conditions";
constexpr std::uint32_t kRefresh = UA_NS0ID_CONDITIONTYPE_CONDITIONREFRESH;

template <typename T>
const T* decoded(const UA_ExtensionObject& object) {
  const bool is =
      object.encoding >= UA_EXTENSIONOBJECT_DECODED && object.content.decoded.type == type_of<T>();
  return is ? static_cast<const T*>(object.content.decoded.data) : nullptr;
}

// The fields that the server does not know, among those it was asked for, into watch.refused. True:
// there are some.
bool note_refused(EventWatch& watch, const UA_ExtensionObject& result) {
  const auto* said = decoded<UA_EventFilterResult>(result);
  if (said == nullptr) return false;
  std::vector<std::size_t> refused;
  std::size_t next = 0;
  for (std::size_t i = 0; i < watch.selection.fields.size(); ++i) {
    if (std::ranges::binary_search(watch.refused, i)) {
      refused.push_back(i);
      continue;
    }
    if (next < said->selectClauseResultsSize && Quality(said->selectClauseResults[next]).is_bad()) {
      refused.push_back(i);
      const EventField& field = watch.selection.fields[i];
      if (field.place == FieldPlace::kExtra) {
        log::warning(
            "opcua", "The server does not know a field of events.",
            {{"field", field.name}, {"status", status_name(said->selectClauseResults[next])}});
      }
    }
    ++next;
  }
  const bool more = refused.size() > watch.refused.size();
  watch.refused = std::move(refused);
  return more && watch.refused.size() < watch.selection.fields.size();
}

void refuse(Feed& feed, Quality quality, Error error) {
  Sample sample;
  sample.quality = quality;
  sample.error = std::make_shared<const Error>(std::move(error));
  feed.refused.push_back(0);
  feed.refusals.push_back(std::move(sample));
}

Task<Result<Owned<UA_CreateMonitoredItemsResponse>>> create_item(
    Shared state, std::shared_ptr<Feed> feed, std::uint32_t leg, const UA_NodeId& notifier,
    Owned<UA_EventFilter> filter, SteadyTime deadline) {
  Owned<UA_CreateMonitoredItemsRequest> request;
  request->subscriptionId = leg;
  request->timestampsToReturn = UA_TIMESTAMPSTORETURN_NEITHER;
  request->itemsToCreate =
      new_array<UA_MonitoredItemCreateRequest>(1, UA_TYPES[UA_TYPES_MONITOREDITEMCREATEREQUEST]);
  request->itemsToCreateSize = 1;
  UA_MonitoredItemCreateRequest& item = request->itemsToCreate[0];
  UA_NodeId_copy(&notifier, &item.itemToMonitor.nodeId);
  item.itemToMonitor.attributeId = UA_ATTRIBUTEID_EVENTNOTIFIER;
  item.monitoringMode = UA_MONITORINGMODE_REPORTING;
  item.requestedParameters.queueSize = static_cast<UA_UInt32>(feed->settings.queue_size);
  item.requestedParameters.discardOldest = true;
  auto* const moved = UA_EventFilter_new();
  std::swap(*moved, *filter);
  UA_ExtensionObject_setValue(&item.requestedParameters.filter, moved,
                              &UA_TYPES[UA_TYPES_EVENTFILTER]);
  co_return co_await Client::ask<UA_CreateMonitoredItemsResponse>(state->client, std::move(request),
                                                                  kWatching, deadline);
}

// The events of a message, one after the other.
std::vector<Record> to_records(const UA_NotificationMessage& message, EventWatch& watch,
                               const ValueContext& context) {
  std::vector<Record> records;
  for (const auto& part : std::span(message.notificationData, message.notificationDataSize)) {
    const auto* list = decoded<UA_EventNotificationList>(part);
    if (list == nullptr) continue;
    for (const UA_EventFieldList& event : std::span(list->events, list->eventsSize)) {
      records.push_back(
          event_record(std::span(event.eventFields, event.eventFieldsSize), watch, context));
    }
  }
  return records;
}

// The types of events that the server has, asked once for a session. A server that does not say has
// none.
Task<Result<std::shared_ptr<const EventTypes>>> learn_event_types(Shared state,
                                                                  SteadyTime deadline) {
  constexpr std::int64_t kMostEventTypes = 5000;
  if (state->event_types) co_return state->event_types;
  BrowseSettings settings;
  settings.depth = kMostRounds;
  settings.max_nodes = kMostEventTypes;
  settings.references = BrowseSettings::References::kSubtype;
  auto start = parse_node_id(kBaseEventType, {});
  if (!start) co_return fail(std::move(start.error()));
  const BrowseOperation browse(*std::move(start), std::move(settings));
  const auto found = co_await browse_nodes(state, browse, deadline);
  if (!found && found.error().error_class != ErrorClass::kFunction) co_return fail(found.error());
  auto types = std::make_shared<EventTypes>();
  types->add(kBaseEventType, "BaseEventType");
  for (const Record& each : found ? found->records() : std::vector<Record>{})
    types->add(get_string(each, "nodeId"), get_string(each, "browseName"));
  state->event_types = types;
  co_return types;
}

Owned<UA_CallRequest> call_of(const UA_NodeId& object, std::uint32_t method,
                              std::size_t arguments) {
  Owned<UA_CallRequest> request;
  request->methodsToCall = new_array<UA_CallMethodRequest>(1, UA_TYPES[UA_TYPES_CALLMETHODREQUEST]);
  request->methodsToCallSize = 1;
  UA_CallMethodRequest& call = request->methodsToCall[0];
  UA_NodeId_copy(&object, &call.objectId);
  call.methodId = UA_NODEID_NUMERIC(0, method);
  call.inputArguments = new_array<UA_Variant>(arguments, UA_TYPES[UA_TYPES_VARIANT]);
  call.inputArgumentsSize = arguments;
  return request;
}

}  // namespace

Task<Result<void>> watch_events(Shared state, std::shared_ptr<Feed> feed, std::uint32_t leg,
                                SteadyTime deadline) {
  const NodeName& notifier = *feed->nodes.ids.front();
  EventWatch& watch = *feed->events;
  watch.refused.clear();
  const auto types = co_await learn_event_types(state, deadline);
  if (!types) co_return fail(types.error());
  watch.types = *types;
  const auto id = resolve(notifier, state->namespaces);
  for (bool again = true; again;) {
    auto filter = make_filter(watch.selection, *watch.types, watch.refused, state->namespaces);
    if (!id || !filter) {
      refuse(*feed, Quality(UA_STATUSCODE_BADNODEIDUNKNOWN), id ? filter.error() : id.error());
      co_return Result<void>{};
    }
    const auto made = co_await create_item(state, feed, leg, **id, *std::move(filter), deadline);
    if (!made) co_return fail(made.error());
    const bool answered = (*made)->resultsSize == 1;
    const std::uint32_t status =
        answered ? (*made)->results[0].statusCode : UA_STATUSCODE_BADUNEXPECTEDERROR;
    const bool less = answered && note_refused(watch, (*made)->results[0].filterResult);
    if (status == UA_STATUSCODE_GOOD) {
      watch.refresh = watch.selection.conditions;
      co_return Result<void>{};
    }
    again = less;
    if (!again) refuse(*feed, Quality(status), node_error(status, "Watching", notifier.text));
  }
  co_return Result<void>{};
}

Task<Batch> event_batch(Shared state, std::shared_ptr<Feed> feed,
                        const UA_NotificationMessage* message) {
  const bool replaying = feed->events->replaying;
  auto records = to_records(*message, *feed->events, state->values());
  for (int round = 0; state->catalog.has_missed() && round < kMostRounds; ++round) {
    const SteadyTime deadline =
        state->context.timers.now() + std::chrono::milliseconds(state->settings.request_timeout_ms);
    const auto learned = co_await learn_missed(state, deadline);
    if (!learned || feed->closed) break;
    feed->events->replaying = replaying;
    records = to_records(*message, *feed->events, state->values());
  }
  if (feed->gap && !records.empty()) {
    records.insert(records.begin(),
                   remark_record("gap",
                                 "Events are missing here: their messages were lost, and the "
                                 "server has them no more.",
                                 state->context.clock.utc_now()));
    feed->events->refresh = feed->events->selection.conditions;
  }
  co_return Batch::of(std::move(records));
}

Batch refusal_batch(const Feed& feed, std::span<const Sample> refusals, UtcTime now) {
  std::vector<Record> records;
  for (const Sample& each : refusals) {
    Record record = remark_record("refused", each.error->message, now);
    record["notifierId"] = feed.nodes.ids.front()->text;
    record["code"] = each.error->code;
    records.push_back(std::move(record));
  }
  return Batch::of(std::move(records));
}

Task<void> refresh_conditions(Shared state, std::shared_ptr<Feed> feed) {
  feed->events->refresh = false;
  for (std::size_t i = 0; i < feed->legs.size(); ++i) {
    auto request = call_of(UA_NODEID_NUMERIC(0, UA_NS0ID_CONDITIONTYPE), kRefresh, 1);
    const UA_UInt32 leg = feed->legs[i].id;
    UA_Variant_setScalarCopy(&request->methodsToCall[0].inputArguments[0], &leg,
                             &UA_TYPES[UA_TYPES_UINT32]);
    const SteadyTime deadline =
        state->context.timers.now() + std::chrono::milliseconds(state->settings.request_timeout_ms);
    const auto response = co_await Client::ask<UA_CallResponse>(state->client, std::move(request),
                                                                kRefreshing, deadline);
    // A connection that is lost says so elsewhere.
    const std::uint32_t status = response && (*response)->resultsSize == 1
                                     ? (*response)->results[0].statusCode
                                     : UA_STATUSCODE_BADUNEXPECTEDERROR;
    if (!Quality(status).is_bad()) continue;
    log::info("opcua", "The server does not send its conditions again.",
              {{"subscription", std::to_string(leg)},
               {"status", response ? status_name(status) : response.error().code}});
  }
}

namespace {

// The node of a condition's shelving, which has the methods of its own. A server that does not show
// it takes the condition itself (OPC 10000-9, 5.8.17).
Task<Result<Owned<UA_NodeId>>> find_shelving(Shared state, Owned<UA_NodeId> condition,
                                             SteadyTime deadline) {
  auto request =
      references_of(std::span(&condition, 1), UA_BROWSEDIRECTION_FORWARD, UA_NS0ID_HASCOMPONENT);
  const auto response = co_await Client::ask<UA_BrowseResponse>(state->client, std::move(request),
                                                                kOperating, deadline);
  if (!response && response.error().error_class != ErrorClass::kFunction)
    co_return fail(response.error());
  if (!response || (*response)->resultsSize != 1) co_return condition;
  const UA_BrowseResult& result = (*response)->results[0];
  for (const auto& each : std::span(result.references, result.referencesSize)) {
    if (view(each.browseName.name) == "ShelvingState")
      co_return Owned<UA_NodeId>::of(each.nodeId.nodeId);
  }
  co_return condition;
}

void set_argument(UA_Variant& variant, const void* value, int type) {
  UA_Variant_setScalarCopy(&variant, value, &UA_TYPES[type]);
}

Owned<UA_CallRequest> call_of(const UA_NodeId& object, const ConditionOperation& operation) {
  using enum ConditionMethod::Takes;
  const ConditionArguments& given = operation.arguments;
  switch (operation.method.takes) {
    case kEventAndComment: {
      auto request = call_of(object, operation.method.id, 2);
      const UA_ByteString event_id = borrow(given.event_id);
      const UA_LocalizedText comment{UA_STRING_NULL, borrow(given.comment)};
      UA_Variant* const arguments = request->methodsToCall[0].inputArguments;
      set_argument(arguments[0], &event_id, UA_TYPES_BYTESTRING);
      set_argument(arguments[1], &comment, UA_TYPES_LOCALIZEDTEXT);
      return request;
    }
    case kDuration: {
      auto request = call_of(object, operation.method.id, 1);
      set_argument(request->methodsToCall[0].inputArguments[0], &given.shelving_time_ms,
                   UA_TYPES_DOUBLE);
      return request;
    }
    case kResponse: {
      auto request = call_of(object, operation.method.id, 1);
      set_argument(request->methodsToCall[0].inputArguments[0], &given.response, UA_TYPES_INT32);
      return request;
    }
    default:
      return call_of(object, operation.method.id, 0);
  }
}

}  // namespace

Task<Result<Batch>> operate_condition(Shared state, const ConditionOperation& operation,
                                      SteadyTime deadline) {
  auto object = resolve(*operation.condition, state->namespaces);
  if (!object) co_return fail(std::move(object.error()));
  if (operation.method.of_shelving) {
    object = co_await find_shelving(state, *std::move(object), deadline);
    if (!object) co_return fail(std::move(object.error()));
  }
  auto request = call_of(**object, operation);
  if (!state->client->is_open()) co_return fail(cancelled());
  const auto response = co_await Client::ask<UA_CallResponse>(state->client, std::move(request),
                                                              kOperating, deadline);
  if (!response) {
    Error error = response.error();
    error.outcome_unknown = is_connection_error(error.error_class);
    co_return fail(std::move(error));
  }
  const std::uint32_t status = (*response)->resultsSize == 1 ? (*response)->results[0].statusCode
                                                             : UA_STATUSCODE_BADUNEXPECTEDERROR;
  if (Quality(status).is_bad()) {
    const std::string what = fmt::format("The operation {}", operation.method.operation);
    co_return fail(node_error(status, what, operation.condition->text));
  }
  Record record = json_object();
  record["conditionId"] = operation.condition->text;
  if (operation.method.done.empty()) {
    record["operation"] = operation.method.operation;
  } else {
    record.insert_or_assign(operation.method.done, true);
  }
  std::vector<Record> records;
  records.push_back(std::move(record));
  co_return Batch::of(std::move(records));
}

}  // namespace tributary::connectors::opcua
