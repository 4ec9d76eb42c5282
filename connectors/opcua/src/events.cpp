#include "connectors/opcua/src/events.hpp"

#include <fmt/format.h>
#include <open62541/nodeids.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace tributary::connectors::opcua {
namespace {

struct StandardField {
  FieldPlace place;
  std::string_view name;
  std::uint32_t type;
  std::string_view path;
};
constexpr FieldPlace kEvent = FieldPlace::kEvent;
constexpr FieldPlace kCondition = FieldPlace::kCondition;

// OPC 10000-5, 6.4.2 and OPC 10000-9, 5.5 to 5.8. The first two say what an event is.
constexpr std::size_t kEventType = 1;
constexpr auto kStandard = std::to_array<StandardField>({
    {kEvent, "eventId", UA_NS0ID_BASEEVENTTYPE, "EventId"},
    {kEvent, "eventType", UA_NS0ID_BASEEVENTTYPE, "EventType"},
    {kEvent, "sourceNode", UA_NS0ID_BASEEVENTTYPE, "SourceNode"},
    {kEvent, "sourceName", UA_NS0ID_BASEEVENTTYPE, "SourceName"},
    {kEvent, "time", UA_NS0ID_BASEEVENTTYPE, "Time"},
    {kEvent, "receiveTime", UA_NS0ID_BASEEVENTTYPE, "ReceiveTime"},
    {kEvent, "message", UA_NS0ID_BASEEVENTTYPE, "Message"},
    {kEvent, "severity", UA_NS0ID_BASEEVENTTYPE, "Severity"},
    {kCondition, "conditionId", UA_NS0ID_CONDITIONTYPE, ""},
    // Servers of open62541 without its own alarms know the id of their conditions only so.
    {kCondition, "conditionId", UA_NS0ID_ACKNOWLEDGEABLECONDITIONTYPE, ""},
    {kCondition, "name", UA_NS0ID_CONDITIONTYPE, "ConditionName"},
    {kCondition, "class", UA_NS0ID_CONDITIONTYPE, "ConditionClassName"},
    {kCondition, "branchId", UA_NS0ID_CONDITIONTYPE, "BranchId"},
    {kCondition, "retain", UA_NS0ID_CONDITIONTYPE, "Retain"},
    {kCondition, "enabled", UA_NS0ID_CONDITIONTYPE, "EnabledState/Id"},
    {kCondition, "quality", UA_NS0ID_CONDITIONTYPE, "Quality"},
    {kCondition, "lastSeverity", UA_NS0ID_CONDITIONTYPE, "LastSeverity"},
    {kCondition, "comment", UA_NS0ID_CONDITIONTYPE, "Comment"},
    {kCondition, "user", UA_NS0ID_CONDITIONTYPE, "ClientUserId"},
    {kCondition, "active", UA_NS0ID_ALARMCONDITIONTYPE, "ActiveState/Id"},
    {kCondition, "acknowledged", UA_NS0ID_ACKNOWLEDGEABLECONDITIONTYPE, "AckedState/Id"},
    {kCondition, "confirmed", UA_NS0ID_ACKNOWLEDGEABLECONDITIONTYPE, "ConfirmedState/Id"},
    {kCondition, "suppressed", UA_NS0ID_ALARMCONDITIONTYPE, "SuppressedState/Id"},
    {kCondition, "outOfService", UA_NS0ID_ALARMCONDITIONTYPE, "OutOfServiceState/Id"},
    {kCondition, "silenced", UA_NS0ID_ALARMCONDITIONTYPE, "SilenceState/Id"},
    {kCondition, "shelving", UA_NS0ID_ALARMCONDITIONTYPE, "ShelvingState/CurrentState"},
    {kCondition, "unshelveTimeMs", UA_NS0ID_ALARMCONDITIONTYPE, "ShelvingState/UnshelveTime"},
    {kCondition, "dialogActive", UA_NS0ID_DIALOGCONDITIONTYPE, "DialogState/Id"},
    {kCondition, "prompt", UA_NS0ID_DIALOGCONDITIONTYPE, "Prompt"},
    {kCondition, "responses", UA_NS0ID_DIALOGCONDITIONTYPE, "ResponseOptionSet"},
});

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> steps;
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    steps.emplace_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return steps;
}

Result<std::vector<SharedNodeName>> node_names(const std::vector<std::string>& texts,
                                               std::string_view setting) {
  std::vector<SharedNodeName> names;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto name = parse_node_id(texts[i], fmt::format("/settings/{}/{}", setting, i));
    TRIBUTARY_TRY(name);
    names.push_back(*std::move(name));
  }
  return names;
}

Result<EventField> extra_field(const EventsSettings::Field& wanted, std::size_t index) {
  EventField field{FieldPlace::kExtra, wanted.name, nullptr, split(wanted.path)};
  if (std::ranges::any_of(field.path, &std::string::empty) || wanted.path.ends_with('/')) {
    return fail(ErrorClass::kFunction, "invalid_path",
                fmt::format("\"{}\" is no path of browse names", wanted.path),
                "Such as \"ActiveState/TransitionTime\" or \"2:Batch\".",
                fmt::format("/settings/fields/{}/path", index));
  }
  auto type = parse_node_id(wanted.type_id.value_or("i=2041"),
                            fmt::format("/settings/fields/{}/typeId", index));
  TRIBUTARY_TRY(type);
  field.type = *std::move(type);
  return field;
}

// "2:Batch", or "Batch" of the type's namespace.
UA_QualifiedName step_name(std::string_view step, std::uint16_t type_namespace) {
  UA_QualifiedName name{type_namespace, UA_STRING_NULL};
  const auto colon = step.find(':');
  if (colon != std::string_view::npos) {
    std::uint16_t index = 0;
    const auto [rest, error] = std::from_chars(step.data(), step.data() + colon, index);
    if (error == std::errc{} && rest == step.data() + colon) {
      name.namespaceIndex = index;
      step.remove_prefix(colon + 1);
    }
  }
  name.name = copy_of(step);
  return name;
}

Result<void> fill_operand(UA_SimpleAttributeOperand& operand, const EventField& field,
                          const Namespaces& namespaces) {
  auto type = resolve(*field.type, namespaces);
  TRIBUTARY_TRY(type);
  std::swap(operand.typeDefinitionId, **type);
  operand.attributeId = field.path.empty() ? UA_ATTRIBUTEID_NODEID : UA_ATTRIBUTEID_VALUE;
  if (field.path.empty()) return {};
  operand.browsePath =
      new_array<UA_QualifiedName>(field.path.size(), UA_TYPES[UA_TYPES_QUALIFIEDNAME]);
  operand.browsePathSize = field.path.size();
  for (std::size_t i = 0; i < field.path.size(); ++i)
    operand.browsePath[i] = step_name(field.path[i], operand.typeDefinitionId.namespaceIndex);
  return {};
}

// One operation of a where clause, and what it stands on.
struct Operation {
  UA_FilterOperator what = UA_FILTEROPERATOR_AND;
  const EventField* field = nullptr;  // compared with `literal`
  Owned<UA_Variant> literal{};
  std::vector<Operation> below{};
};

Operation compare(UA_FilterOperator what, const EventField* field, const void* value, int type) {
  Operation operation{what, field};
  UA_Variant_setScalarCopy(&*operation.literal, value, &UA_TYPES[type]);
  return operation;
}

// Operations joined two by two: the operators take two operands.
Operation joined(UA_FilterOperator what, std::vector<Operation> all) {
  Operation whole = std::move(all.back());
  all.pop_back();
  while (!all.empty()) {
    Operation pair{what};
    pair.below.push_back(std::move(all.back()));
    pair.below.push_back(std::move(whole));
    all.pop_back();
    whole = std::move(pair);
  }
  return whole;
}

template <typename T>
void add_operand(UA_ContentFilterElement& element, T* operand, int type) {
  UA_ExtensionObject_setValue(&element.filterOperands[element.filterOperandsSize++], operand,
                              &UA_TYPES[type]);
}

// An operation stands before those that it stands on (OPC 10000-4, 7.7.1).
Result<void> fill_where(UA_ContentFilter& filter, const Operation& root,
                        const Namespaces& namespaces) {
  std::vector<const Operation*> all{&root};
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const Operation& each : all[i]->below) all.push_back(&each);
  }
  filter.elements =
      new_array<UA_ContentFilterElement>(all.size(), UA_TYPES[UA_TYPES_CONTENTFILTERELEMENT]);
  filter.elementsSize = all.size();
  for (std::size_t i = 0; i < all.size(); ++i) {
    constexpr std::size_t kMostOperands = 2;
    UA_ContentFilterElement& element = filter.elements[i];
    element.filterOperator = all[i]->what;
    element.filterOperands =
        new_array<UA_ExtensionObject>(kMostOperands, UA_TYPES[UA_TYPES_EXTENSIONOBJECT]);
    for (const Operation& each : all[i]->below) {
      auto* operand = UA_ElementOperand_new();
      operand->index = static_cast<UA_UInt32>(std::ranges::find(all, &each) - all.begin());
      add_operand(element, operand, UA_TYPES_ELEMENTOPERAND);
    }
    if (all[i]->field != nullptr) {
      auto* operand = UA_SimpleAttributeOperand_new();
      add_operand(element, operand, UA_TYPES_SIMPLEATTRIBUTEOPERAND);
      TRIBUTARY_TRY(fill_operand(*operand, *all[i]->field, namespaces));
    }
    if (!all[i]->below.empty()) continue;
    auto* operand = UA_LiteralOperand_new();
    UA_Variant_copy(&*all[i]->literal, &operand->value);
    add_operand(element, operand, UA_TYPES_LITERALOPERAND);
  }
  return {};
}

const EventField& field_named(const EventSelection& selection, std::string_view name) {
  return *std::ranges::find(selection.fields, name, &EventField::name);
}

// The node ids of the types that are wanted.
Result<std::vector<SharedNodeName>> ids_of_types(const EventSelection& selection,
                                                 const EventTypes& types) {
  std::vector<SharedNodeName> ids;
  for (std::size_t i = 0; i < selection.types.size(); ++i) {
    const WantedType& wanted = selection.types[i];
    if (wanted.id != nullptr) {
      ids.push_back(wanted.id);
      continue;
    }
    const auto named = types.ids_of(wanted.name);
    if (named.empty()) {
      return fail(ErrorClass::kFunction, "unknown_event_type",
                  fmt::format("The server has no event type {}", wanted.name),
                  "Browse from i=2041 (BaseEventType) for its types, or enter a node id.",
                  fmt::format("/settings/eventTypes/{}", i));
    }
    for (const std::string& text : named) {
      auto id = parse_node_id(text, {});
      TRIBUTARY_TRY(id);
      ids.push_back(*std::move(id));
    }
  }
  return ids;
}

// Any of the nodes.
Result<void> add_any(std::vector<Operation>& all, UA_FilterOperator what, const EventField* field,
                     const std::vector<SharedNodeName>& nodes, const Namespaces& namespaces) {
  if (nodes.empty()) return {};
  std::vector<Operation> any;
  for (const auto& each : nodes) {
    const auto id = resolve(*each, namespaces);
    TRIBUTARY_TRY(id);
    any.push_back(compare(what, field, &**id, UA_TYPES_NODEID));
  }
  all.push_back(joined(UA_FILTEROPERATOR_OR, std::move(any)));
  return {};
}

}  // namespace

Result<EventSelection> select_events(const EventsSettings& settings) {
  EventSelection selection;
  selection.settings = settings;
  selection.conditions = settings.conditions;
  selection.min_severity = static_cast<std::uint16_t>(settings.min_severity);
  for (const StandardField& each : kStandard) {
    if (each.place == kCondition && !settings.conditions) continue;
    const auto type = parse_node_id(fmt::format("i={}", each.type), {});
    TRIBUTARY_TRY(type);
    selection.fields.push_back({each.place, std::string(each.name), *type, split(each.path)});
  }
  for (std::size_t i = 0; i < settings.fields.size(); ++i) {
    auto field = extra_field(settings.fields[i], i);
    TRIBUTARY_TRY(field);
    selection.fields.push_back(*std::move(field));
  }
  for (std::size_t i = 0; i < settings.event_types.size(); ++i) {
    const std::string& text = settings.event_types[i];
    if (!text.contains('=')) {
      selection.types.push_back({nullptr, text});
      continue;
    }
    auto id = parse_node_id(text, fmt::format("/settings/eventTypes/{}", i));
    TRIBUTARY_TRY(id);
    selection.types.push_back({*std::move(id), {}});
  }
  auto sources = node_names(settings.sources, "sources");
  TRIBUTARY_TRY(sources);
  selection.sources = *std::move(sources);
  return selection;
}

const std::string* EventTypes::name_of(const std::string& id) const {
  const auto found = names_.find(id);
  return found == names_.end() ? nullptr : &found->second;
}

std::vector<std::string> EventTypes::ids_of(std::string_view name) const {
  std::vector<std::string> ids;
  for (const auto& [id, each] : names_) {
    if (each == name) ids.push_back(id);
  }
  return ids;
}

Result<Owned<UA_EventFilter>> make_filter(const EventSelection& selection, const EventTypes& types,
                                          std::span<const std::size_t> refused,
                                          const Namespaces& namespaces) {
  Owned<UA_EventFilter> filter;
  const std::size_t count = selection.fields.size() - refused.size();
  filter->selectClauses =
      new_array<UA_SimpleAttributeOperand>(count, UA_TYPES[UA_TYPES_SIMPLEATTRIBUTEOPERAND]);
  filter->selectClausesSize = count;
  std::size_t next = 0;
  for (std::size_t i = 0; i < selection.fields.size(); ++i) {
    if (std::ranges::binary_search(refused, i)) continue;
    TRIBUTARY_TRY(fill_operand(filter->selectClauses[next++], selection.fields[i], namespaces));
  }
  std::vector<Operation> all;
  const auto wanted = ids_of_types(selection, types);
  TRIBUTARY_TRY(wanted);
  TRIBUTARY_TRY(add_any(all, UA_FILTEROPERATOR_OFTYPE, nullptr, *wanted, namespaces));
  TRIBUTARY_TRY(add_any(all, UA_FILTEROPERATOR_EQUALS, &field_named(selection, "sourceNode"),
                        selection.sources, namespaces));
  if (selection.min_severity > 1) {
    all.push_back(compare(UA_FILTEROPERATOR_GREATERTHANOREQUAL, &field_named(selection, "severity"),
                          &selection.min_severity, UA_TYPES_UINT16));
  }
  if (all.empty()) return filter;
  TRIBUTARY_TRY(
      fill_where(filter->whereClause, joined(UA_FILTEROPERATOR_AND, std::move(all)), namespaces));
  return filter;
}

namespace {

// Events about the subscription itself (OPC 10000-9, 5.11 and OPC 10000-4, 7.22.3); null for all
// others.
const char* kind_of_own(const UA_Variant& type) {
  if (!UA_Variant_hasScalarType(&type, &UA_TYPES[UA_TYPES_NODEID])) return nullptr;
  const auto& id = *static_cast<const UA_NodeId*>(type.data);
  if (id.namespaceIndex != 0 || id.identifierType != UA_NODEIDTYPE_NUMERIC) return nullptr;
  switch (id.identifier.numeric) {
    case UA_NS0ID_REFRESHSTARTEVENTTYPE:
      return "refreshStart";
    case UA_NS0ID_REFRESHENDEVENTTYPE:
      return "refreshEnd";
    case UA_NS0ID_REFRESHREQUIREDEVENTTYPE:
      return "refreshRequired";
    case UA_NS0ID_EVENTQUEUEOVERFLOWEVENTTYPE:
      return "overflow";
    default:
      return nullptr;
  }
}

// Of the branch of a condition that has none.
bool is_null_id(const UA_Variant& value) {
  return UA_Variant_hasScalarType(&value, &UA_TYPES[UA_TYPES_NODEID]) &&
         UA_NodeId_isNull(static_cast<const UA_NodeId*>(value.data));
}

void note_own(std::string_view kind, EventWatch& watch) {
  if (kind == "refreshStart") watch.replaying = true;
  if (kind == "refreshEnd") watch.replaying = false;
  // What was lost may have been an alarm. A queue that overflows while everything is sent again is
  // too short for that: doing it once more would not help.
  const bool lost = kind == "overflow" && !watch.replaying;
  if ((kind == "refreshRequired" || lost) && watch.selection.conditions) watch.refresh = true;
}

}  // namespace

Json event_record(std::span<const UA_Variant> values, EventWatch& watch,
                  const ValueContext& context) {
  Json record = json_object();
  Json condition = json_object();
  Json extra = json_object();
  // Of an overflow, some servers say nothing but the type.
  if (values.size() == 1) {
    if (const char* const own = kind_of_own(values.front())) {
      note_own(own, watch);
      record["kind"] = own;
      return record;
    }
  }
  const char* own = nullptr;
  bool is_condition = false;
  std::size_t next = 0;
  const auto& fields = watch.selection.fields;
  for (std::size_t i = 0; i < fields.size() && next < values.size(); ++i) {
    if (std::ranges::binary_search(watch.refused, i)) continue;
    const UA_Variant& value = values[next++];
    if (i == kEventType) own = kind_of_own(value);
    Json json = is_null_id(value) ? Json::null() : to_json(to_value(value, context));
    if (fields[i].place == kCondition) {
      is_condition = is_condition || (fields[i].name == "retain" && json.is_bool());
      const bool has = condition.contains(fields[i].name) && !condition[fields[i].name].is_null();
      if (!has) condition.insert_or_assign(fields[i].name, std::move(json));
    } else {
      Json& place = fields[i].place == kEvent ? record : extra;
      place.insert_or_assign(fields[i].name, std::move(json));
      if (i != kEventType) continue;
      if (const auto* name = watch.types->name_of(get_string(record, "eventType")))
        record.insert_or_assign("eventTypeName", *name);
    }
  }
  Json whole = json_object();
  whole["kind"] = own != nullptr ? own : is_condition ? "condition" : "event";
  for (const auto& member : record.object_range())
    whole.insert_or_assign(member.key(), member.value());
  if (own != nullptr) {
    note_own(own, watch);
    return whole;
  }
  if (is_condition) whole["condition"] = std::move(condition);
  if (!extra.empty()) whole["fields"] = std::move(extra);
  if (watch.replaying) whole["replayed"] = true;
  return whole;
}

Json remark_record(std::string_view kind, std::string_view message, UtcTime now) {
  Json record = json_object();
  record["kind"] = std::string(kind);
  record["time"] = format_utc(now);
  record["message"] = std::string(message);
  return record;
}

}  // namespace tributary::connectors::opcua
