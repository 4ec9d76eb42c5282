#include "connectors/opcua/simulator/alarms.hpp"

#include <fmt/format.h>
#include <open62541/server.h>

#include <initializer_list>

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
  const UA_NodeId acknowledge = standard(UA_NS0ID_ACKNOWLEDGEABLECONDITIONTYPE_ACKNOWLEDGE);
  UA_Server_setNodeContext(server, acknowledge, this);
  UA_Server_setMethodNode_callback(
      server, acknowledge,
      [](UA_Server*, const UA_NodeId*, void*, const UA_NodeId*, void* context, const UA_NodeId*,
         void* alarm, size_t, const UA_Variant* arguments, size_t, UA_Variant*) -> UA_StatusCode {
        if (alarm == nullptr) return UA_STATUSCODE_BADNODEIDINVALID;
        return static_cast<PlantAlarms*>(context)->acknowledge(*static_cast<Alarm*>(alarm),
                                                               arguments);
      });
  const UA_NodeId refresh = standard(UA_NS0ID_CONDITIONTYPE_CONDITIONREFRESH);
  UA_Server_setNodeContext(server, refresh, this);
  UA_Server_setMethodNode_callback(
      server, refresh,
      [](UA_Server*, const UA_NodeId*, void*, const UA_NodeId*, void* context, const UA_NodeId*,
         void*, size_t, const UA_Variant*, size_t, UA_Variant*) -> UA_StatusCode {
        static_cast<PlantAlarms*>(context)->refresh();
        return UA_STATUSCODE_GOOD;
      });
  constexpr double kLookIntervalMs = 50;
  UA_Server_addRepeatedCallback(
      server, [](UA_Server*, void* self) { static_cast<PlantAlarms*>(self)->look(); }, this,
      kLookIntervalMs, nullptr);
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
  alarm.active = find_below(server_, node, {"ActiveState", "Id"});
  alarm.acknowledged = find_below(server_, node, {"AckedState", "Id"});
  alarm.comment = find_below(server_, node, {"Comment"});
  const UA_NodeId type = standard(UA_NS0ID_ALARMCONDITIONTYPE);
  set_property(server_, node, "EventType", type, UA_TYPES_NODEID);
  set_property(server_, node, "SourceNode", *source_, UA_TYPES_NODEID);
  set_property(server_, node, "SourceName", borrow(source_name), UA_TYPES_STRING);
  set_property(server_, node, "ConditionName", borrow(name), UA_TYPES_STRING);
  set_property(server_, node, "Severity", UA_UInt16{alarm.kind->severity}, UA_TYPES_UINT16);
  const auto enabled = find_below(server_, node, {"EnabledState", "Id"});
  set_value(server_, *enabled, UA_Boolean{true}, UA_TYPES_BOOLEAN);
  const auto quality = find_below(server_, node, {"Quality"});
  set_value(server_, *quality, UA_StatusCode{UA_STATUSCODE_GOOD}, UA_TYPES_STATUSCODE);
}

void PlantAlarms::tell(Alarm& alarm, std::string_view message) {
  set_value(server_, *alarm.active, UA_Boolean{alarm.is_active}, UA_TYPES_BOOLEAN);
  set_value(server_, *alarm.acknowledged, UA_Boolean{alarm.is_acknowledged}, UA_TYPES_BOOLEAN);
  set_property(server_, *alarm.node, "Retain", UA_Boolean{alarm.retain()}, UA_TYPES_BOOLEAN);
  set_property(server_, *alarm.node, "Message", text(message), UA_TYPES_LOCALIZEDTEXT);
  set_property(server_, *alarm.node, "Time", UA_DateTime_now(), UA_TYPES_DATETIME);
  UA_ByteString event_id = UA_BYTESTRING_NULL;
  UA_Server_triggerEvent(server_, *alarm.node, *source_, &event_id, false);
  alarm.event_id = to_std(event_id);
  UA_ByteString_clear(&event_id);
}

void PlantAlarms::look() {
  const std::uint16_t bits = bits_;
  for (std::size_t i = 0; i < alarms_.size(); ++i) {
    Alarm& alarm = alarms_[i];
    const bool now = (bits >> i & 1U) != 0;
    if (std::exchange(alarm.is_active, now) == now) continue;
    if (now) alarm.is_acknowledged = false;
    tell(alarm, now ? alarm.kind->message : "It is over");
  }
}

UA_StatusCode PlantAlarms::acknowledge(Alarm& alarm, const UA_Variant* arguments) {
  if (view(*static_cast<const UA_ByteString*>(arguments[0].data)) != alarm.event_id)
    return UA_STATUSCODE_BADEVENTIDUNKNOWN;
  if (alarm.is_acknowledged) return UA_STATUSCODE_BADCONDITIONBRANCHALREADYACKED;
  const auto& comment = *static_cast<const UA_LocalizedText*>(arguments[1].data);
  if (comment.text.length > 0) set_value(server_, *alarm.comment, comment, UA_TYPES_LOCALIZEDTEXT);
  alarm.is_acknowledged = true;
  tell(alarm, alarm.is_active ? alarm.kind->message : "It is over");
  return UA_STATUSCODE_GOOD;
}

void PlantAlarms::tell_refresh(std::uint32_t event_type) {
  UA_NodeId event = UA_NODEID_NULL;
  if (UA_Server_createEvent(server_, standard(event_type), &event) != UA_STATUSCODE_GOOD) return;
  set_property(server_, event, "Time", UA_DateTime_now(), UA_TYPES_DATETIME);
  set_property(server_, event, "Severity", UA_UInt16{1}, UA_TYPES_UINT16);
  UA_Server_triggerEvent(server_, event, *source_, nullptr, true);
  UA_NodeId_clear(&event);
}

void PlantAlarms::refresh() {
  tell_refresh(UA_NS0ID_REFRESHSTARTEVENTTYPE);
  for (Alarm& alarm : alarms_) {
    if (alarm.retain()) tell(alarm, alarm.is_active ? alarm.kind->message : "It is over");
  }
  tell_refresh(UA_NS0ID_REFRESHENDEVENTTYPE);
}

}  // namespace tributary::connectors::opcua::simulator
