#include "connectors/opcua/simulator/alarms.hpp"

#include <fmt/format.h>
#include <open62541/server.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <span>

namespace tributary::connectors::opcua::simulator {
namespace {

UA_NodeId standard(std::uint32_t id) {
  return UA_NODEID_NUMERIC(0, id);
}

template <typename T>
void set_property(UA_Server* server, const UA_NodeId& node, std::string_view name, T value,
                  int type) {
  UA_Server_writeObjectProperty_scalar(server, node, {0, borrow(name)}, &value, &UA_TYPES[type]);
}

template <typename T>
void set_value(UA_Server* server, const UA_NodeId& node, T value, int type) {
  UA_Variant variant;
  UA_Variant_setScalar(&variant, &value, &UA_TYPES[type]);
  UA_Server_writeValue(server, node, variant);
}

UA_LocalizedText text(std::string_view words) {
  return {UA_STRING_NULL, borrow(words)};
}

// Who has a subscription: its session; nothing when there is none.
std::optional<Owned<UA_NodeId>> owner_of(UA_Server* server, std::uint32_t subscription) {
  Owned<UA_Variant> all;
  UA_Server_readValue(
      server, standard(UA_NS0ID_SERVER_SERVERDIAGNOSTICS_SUBSCRIPTIONDIAGNOSTICSARRAY), &*all);
  const auto& type = UA_TYPES[UA_TYPES_SUBSCRIPTIONDIAGNOSTICSDATATYPE];
  if (!UA_Variant_hasArrayType(&*all, &type)) return std::nullopt;
  const std::span each(static_cast<const UA_SubscriptionDiagnosticsDataType*>(all->data),
                       all->arrayLength);
  const auto found =
      std::ranges::find(each, subscription, &UA_SubscriptionDiagnosticsDataType::subscriptionId);
  if (found == each.end()) return std::nullopt;
  return Owned<UA_NodeId>::of(found->sessionId);
}

Owned<UA_NodeId> find_below(UA_Server* server, const UA_NodeId& node,
                            std::initializer_list<std::string_view> path) {
  std::vector<UA_QualifiedName> names;
  for (const std::string_view each : path) names.push_back({0, borrow(each)});
  UA_BrowsePathResult found =
      UA_Server_browseSimplifiedBrowsePath(server, node, names.size(), names.data());
  Owned<UA_NodeId> id;
  if (found.targetsSize > 0) UA_NodeId_copy(&found.targets[0].targetId.nodeId, &*id);
  UA_BrowsePathResult_clear(&found);
  return id;
}

}  // namespace

void PlantAlarms::add_nodes(UA_Server* server, std::uint16_t index, const UA_NodeId& source,
                            std::string_view source_name) {
  server_ = server;
  source_ = Owned<UA_NodeId>::of(source);
  UA_Server_writeEventNotifier(server, source, UA_EVENTNOTIFIER_SUBSCRIBE_TO_EVENT);
  UA_Server_addReference(server, standard(UA_NS0ID_SERVER), standard(UA_NS0ID_HASNOTIFIER),
                         {source, UA_STRING_NULL, 0}, true);
  alarms_ = std::vector<Alarm>(kPlantAlarms.size());
  for (std::size_t i = 0; i < alarms_.size(); ++i) {
    alarms_[i].kind = &kPlantAlarms[i];
    add_condition(alarms_[i], index, source_name);
  }
  add_methods();
  constexpr double kLookIntervalMs = 50;
  UA_Server_addRepeatedCallback(
      server, [](UA_Server*, void* self) { static_cast<PlantAlarms*>(self)->look(); }, this,
      kLookIntervalMs, nullptr);
}

template <PlantAlarms::Answer answer>
void PlantAlarms::add_method(std::uint32_t id) {
  UA_Server_setNodeContext(server_, standard(id), this);
  UA_Server_setMethodNode_callback(
      server_, standard(id),
      [](UA_Server*, const UA_NodeId*, void*, const UA_NodeId*, void* context, const UA_NodeId*,
         void* object, size_t, const UA_Variant* arguments, size_t, UA_Variant*) -> UA_StatusCode {
        if (object == nullptr) return UA_STATUSCODE_BADNODEIDINVALID;
        auto& self = *static_cast<PlantAlarms*>(context);
        auto& alarm = *static_cast<Alarm*>(object);
        const std::string event_id = to_std(*static_cast<const UA_ByteString*>(arguments[0].data));
        if (std::ranges::find(alarm.event_ids, event_id) == alarm.event_ids.end())
          return UA_STATUSCODE_BADEVENTIDUNKNOWN;
        const UA_StatusCode status = (self.*answer)(alarm);
        if (status != UA_STATUSCODE_GOOD) return status;
        const auto& comment = *static_cast<const UA_LocalizedText*>(arguments[1].data);
        if (comment.text.length > 0)
          set_value(self.server_, *alarm.comment, comment, UA_TYPES_LOCALIZEDTEXT);
        self.change(alarm);
        return UA_STATUSCODE_GOOD;
      });
}

void PlantAlarms::add_methods() {
  add_method<&PlantAlarms::acknowledge>(UA_NS0ID_ACKNOWLEDGEABLECONDITIONTYPE_ACKNOWLEDGE);
  add_method<&PlantAlarms::confirm>(UA_NS0ID_ACKNOWLEDGEABLECONDITIONTYPE_CONFIRM);
  add_method<&PlantAlarms::add_comment>(UA_NS0ID_CONDITIONTYPE_ADDCOMMENT);
  for (const std::uint32_t id :
       {UA_NS0ID_CONDITIONTYPE_CONDITIONREFRESH, UA_NS0ID_CONDITIONTYPE_CONDITIONREFRESH2}) {
    UA_Server_setNodeContext(server_, standard(id), this);
    UA_Server_setMethodNode_callback(
        server_, standard(id),
        [](UA_Server*, const UA_NodeId* session, void*, const UA_NodeId*, void* context,
           const UA_NodeId*, void*, size_t, const UA_Variant* arguments, size_t,
           UA_Variant*) -> UA_StatusCode {
          return static_cast<PlantAlarms*>(context)->refresh(*session, arguments[0]);
        });
  }
}

PlantAlarms::TwoState PlantAlarms::find_state(const UA_NodeId& condition, std::string_view name,
                                              std::string_view when_true,
                                              std::string_view when_false) {
  return {find_below(server_, condition, {name}), find_below(server_, condition, {name, "Id"}),
          when_true, when_false};
}

void PlantAlarms::set_state(const TwoState& state, bool is) {
  set_value(server_, *state.id, UA_Boolean{is}, UA_TYPES_BOOLEAN);
  set_value(server_, *state.text, text(is ? state.when_true : state.when_false),
            UA_TYPES_LOCALIZEDTEXT);
}

void PlantAlarms::add_condition(Alarm& alarm, std::uint16_t index, std::string_view source_name) {
  const std::string_view name = alarm.kind->name;
  const std::string id = fmt::format("{}.{}", source_name, name);
  UA_NodeId node = UA_NODEID_NUMERIC(index, 0);
  node.identifierType = UA_NODEIDTYPE_STRING;
  node.identifier.string = borrow(id);
  UA_ObjectAttributes attributes = UA_ObjectAttributes_default;
  attributes.displayName = text(name);
  UA_Server_addObjectNode(server_, node, *source_, standard(UA_NS0ID_HASCOMPONENT),
                          {index, borrow(name)}, standard(UA_NS0ID_ALARMCONDITIONTYPE), attributes,
                          &alarm, nullptr);
  alarm.node = Owned<UA_NodeId>::of(node);
  // What the type leaves open.
  UA_VariableAttributes confirmed = UA_VariableAttributes_default;
  confirmed.displayName = text("ConfirmedState");
  confirmed.dataType = UA_TYPES[UA_TYPES_LOCALIZEDTEXT].typeId;
  confirmed.valueRank = UA_VALUERANK_SCALAR;
  UA_Server_addVariableNode(server_, UA_NODEID_NUMERIC(index, 0), node,
                            standard(UA_NS0ID_HASCOMPONENT), {0, borrow("ConfirmedState")},
                            standard(UA_NS0ID_TWOSTATEVARIABLETYPE), confirmed, nullptr, nullptr);
  UA_Server_addReference(
      server_, node, standard(UA_NS0ID_HASCOMPONENT),
      {standard(UA_NS0ID_ACKNOWLEDGEABLECONDITIONTYPE_CONFIRM), UA_STRING_NULL, 0}, true);
  alarm.active = find_state(node, "ActiveState", "Active", "Inactive");
  alarm.acknowledged = find_state(node, "AckedState", "Acknowledged", "Unacknowledged");
  alarm.confirmed = find_state(node, "ConfirmedState", "Confirmed", "Unconfirmed");
  alarm.comment = find_below(server_, node, {"Comment"});
  const UA_NodeId type = standard(UA_NS0ID_ALARMCONDITIONTYPE);
  set_property(server_, node, "EventType", type, UA_TYPES_NODEID);
  set_property(server_, node, "SourceNode", *source_, UA_TYPES_NODEID);
  set_property(server_, node, "SourceName", borrow(source_name), UA_TYPES_STRING);
  set_property(server_, node, "ConditionName", borrow(name), UA_TYPES_STRING);
  set_property(server_, node, "ConditionClassId", standard(UA_NS0ID_PROCESSCONDITIONCLASSTYPE),
               UA_TYPES_NODEID);
  set_property(server_, node, "ConditionClassName", text("Process"), UA_TYPES_LOCALIZEDTEXT);
  set_property(server_, node, "Severity", UA_UInt16{alarm.kind->severity}, UA_TYPES_UINT16);
  set_state(find_state(node, "EnabledState", "Enabled", "Disabled"), true);
  const auto quality = find_below(server_, node, {"Quality"});
  set_value(server_, *quality, UA_StatusCode{UA_STATUSCODE_GOOD}, UA_TYPES_STATUSCODE);
}

void PlantAlarms::change(Alarm& alarm) {
  set_state(alarm.active, alarm.is_active);
  set_state(alarm.acknowledged, alarm.is_acknowledged);
  set_state(alarm.confirmed, alarm.is_confirmed);
  const UA_NodeId& node = *alarm.node;
  set_property(server_, node, "Retain", UA_Boolean{alarm.retain()}, UA_TYPES_BOOLEAN);
  set_property(server_, node, "Message", text(alarm.is_active ? alarm.kind->message : "It is over"),
               UA_TYPES_LOCALIZEDTEXT);
  set_property(server_, node, "Time", UA_DateTime_now(), UA_TYPES_DATETIME);
  send(alarm);
}

void PlantAlarms::send(Alarm& alarm) {
  constexpr std::size_t kMostEventIds = 100;
  UA_ByteString event_id = UA_BYTESTRING_NULL;
  UA_Server_triggerEvent(server_, *alarm.node, *source_, &event_id, false);
  alarm.event_ids.push_back(to_std(event_id));
  if (alarm.event_ids.size() > kMostEventIds) alarm.event_ids.pop_front();
  UA_ByteString_clear(&event_id);
}

void PlantAlarms::look() {
  const std::uint16_t bits = bits_;
  for (std::size_t i = 0; i < alarms_.size(); ++i) {
    Alarm& alarm = alarms_[i];
    const bool now = (bits >> i & 1U) != 0;
    if (std::exchange(alarm.is_active, now) == now) continue;
    if (now) {
      alarm.is_acknowledged = false;
      alarm.is_confirmed = true;
      alarm.event_ids.clear();
    }
    change(alarm);
  }
}

UA_StatusCode PlantAlarms::acknowledge(Alarm& alarm) {
  if (alarm.is_acknowledged) return UA_STATUSCODE_BADCONDITIONBRANCHALREADYACKED;
  alarm.is_acknowledged = true;
  alarm.is_confirmed = false;
  return UA_STATUSCODE_GOOD;
}

UA_StatusCode PlantAlarms::confirm(Alarm& alarm) {
  if (alarm.is_confirmed) return UA_STATUSCODE_BADCONDITIONBRANCHALREADYCONFIRMED;
  alarm.is_confirmed = true;
  return UA_STATUSCODE_GOOD;
}

UA_StatusCode PlantAlarms::add_comment(Alarm& /*alarm*/) {
  return UA_STATUSCODE_GOOD;
}

void PlantAlarms::send_refresh(std::uint32_t event_type) {
  UA_NodeId event = UA_NODEID_NULL;
  if (UA_Server_createEvent(server_, standard(event_type), &event) != UA_STATUSCODE_GOOD) return;
  set_property(server_, event, "Time", UA_DateTime_now(), UA_TYPES_DATETIME);
  // Everybody gets these, whatever severities he wants (OPC 10000-9, 5.5.7); the library filters
  // them like any other event.
  constexpr UA_UInt16 kHighest = 1000;
  set_property(server_, event, "Severity", kHighest, UA_TYPES_UINT16);
  UA_Server_triggerEvent(server_, event, *source_, nullptr, true);
  UA_NodeId_clear(&event);
}

UA_StatusCode PlantAlarms::refresh(const UA_NodeId& session, const UA_Variant& subscription) {
  const auto owner = owner_of(server_, *static_cast<const UA_UInt32*>(subscription.data));
  if (!owner) return UA_STATUSCODE_BADSUBSCRIPTIONIDINVALID;
  if (!UA_NodeId_equal(&**owner, &session)) return UA_STATUSCODE_BADUSERACCESSDENIED;
  send_refresh(UA_NS0ID_REFRESHSTARTEVENTTYPE);
  for (Alarm& alarm : alarms_) {
    if (alarm.retain()) send(alarm);
  }
  send_refresh(UA_NS0ID_REFRESHENDEVENTTYPE);
  return UA_STATUSCODE_GOOD;
}

}  // namespace tributary::connectors::opcua::simulator
