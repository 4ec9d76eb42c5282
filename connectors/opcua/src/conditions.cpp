#include "connectors/opcua/src/conditions.hpp"

#include <fmt/format.h>
#include <open62541/nodeids.h>

#include <algorithm>

#include "connectors/opcua/src/definitions.hpp"
#include "connectors/opcua/src/errors.hpp"
#include "runtime/log.hpp"

namespace tributary::connectors::opcua {
namespace {

constexpr std::string_view kWatching = "subscribing to events";
constexpr std::string_view kRefreshing = "asking for the conditions";
// Methods of the types; conditions have them too, but need not show them (OPC 10000-9, 5.7.3).
constexpr std::uint32_t kRefresh = UA_NS0ID_CONDITIONTYPE_CONDITIONREFRESH;
constexpr std::uint32_t kAcknowledge = UA_NS0ID_ACKNOWLEDGEABLECONDITIONTYPE_ACKNOWLEDGE;
constexpr std::uint32_t kConfirm = UA_NS0ID_ACKNOWLEDGEABLECONDITIONTYPE_CONFIRM;

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
  const auto id = resolve(notifier, state->namespaces);
  for (bool again = true; again;) {
    auto filter = make_filter(watch.selection, watch.refused, state->namespaces);
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

Task<Result<Batch>> answer_condition(Shared state, const ConditionOperation& operation,
                                     SteadyTime deadline) {
  const auto condition = resolve(*operation.condition, state->namespaces);
  if (!condition) co_return fail(condition.error());
  auto request = call_of(**condition, operation.confirm ? kConfirm : kAcknowledge, 2);
  const UA_ByteString event_id = borrow(operation.event_id);
  const UA_LocalizedText comment{UA_STRING_NULL, borrow(operation.comment)};
  UA_Variant* const arguments = request->methodsToCall[0].inputArguments;
  UA_Variant_setScalarCopy(&arguments[0], &event_id, &UA_TYPES[UA_TYPES_BYTESTRING]);
  UA_Variant_setScalarCopy(&arguments[1], &comment, &UA_TYPES[UA_TYPES_LOCALIZEDTEXT]);
  if (!state->client->is_open()) co_return fail(cancelled());
  const std::string_view what = operation.confirm ? "confirming" : "acknowledging";
  const auto response =
      co_await Client::ask<UA_CallResponse>(state->client, std::move(request), what, deadline);
  if (!response) {
    Error error = response.error();
    error.outcome_unknown = is_connection_error(error.error_class);
    co_return fail(std::move(error));
  }
  const std::uint32_t status = (*response)->resultsSize == 1 ? (*response)->results[0].statusCode
                                                             : UA_STATUSCODE_BADUNEXPECTEDERROR;
  if (Quality(status).is_bad()) {
    co_return fail(node_error(status, operation.confirm ? "Confirming" : "Acknowledging",
                              operation.condition->text));
  }
  Record record = json_object();
  record["conditionId"] = operation.condition->text;
  record[operation.confirm ? "confirmed" : "acknowledged"] = true;
  std::vector<Record> records;
  records.push_back(std::move(record));
  co_return Batch::of(std::move(records));
}

}  // namespace tributary::connectors::opcua
