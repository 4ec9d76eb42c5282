// Events of a server: what is asked for, and what came as records. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/opcua/settings.hpp"
#include "connectors/opcua/src/values.hpp"

namespace tributary::connectors::opcua {

// Where a field stands in the record of an event.
enum class FieldPlace : std::uint8_t { kEvent, kCondition, kExtra };

struct EventField {
  FieldPlace place = FieldPlace::kEvent;
  std::string name;               // in the record
  SharedNodeName type;            // that declares it
  std::vector<std::string> path;  // browse names; empty: the node id of the condition itself
};

// What one opcua.events function wants.
struct EventSelection {
  EventsSettings settings;  // from which the others follow
  std::vector<EventField> fields;
  std::vector<SharedNodeName> types;
  std::vector<SharedNodeName> sources;
  std::uint16_t min_severity = 1;
  bool conditions = true;
};
// Errors, kFunction with a pointer: "invalid_node_id", "invalid_path".
Result<EventSelection> select_events(const EventsSettings& settings);

// What the server is asked for: the fields that are not in `refused` (by their index, ascending),
// of the events that are wanted. Error: kFunction "namespace_unknown".
Result<Owned<UA_EventFilter>> make_filter(const EventSelection& selection,
                                          std::span<const std::size_t> refused,
                                          const Namespaces& namespaces);

// One opcua.events function at work.
struct EventWatch {
  explicit EventWatch(EventSelection selection_) : selection(std::move(selection_)) {}
  const EventSelection selection;
  std::vector<std::size_t> refused;  // fields that the server does not know
  bool replaying = false;            // it sends again what is interesting now
  bool refresh = false;              // it must be asked to
};

// One event: {"kind": "event" or "condition", "eventId", "eventType", "sourceNode", "sourceName",
// "time", "receiveTime", "message", "severity", "condition"?, "fields"?, "replayed"?}. What is
// about the subscription itself has the kinds "refreshStart", "refreshEnd" and "overflow", and
// changes `watch`.
Json event_record(std::span<const UA_Variant> values, EventWatch& watch,
                  const ValueContext& context);
// {"kind": "gap" or "refused", "time", "message", "code"?}: what the hub has to say.
Json remark_record(std::string_view kind, std::string_view message, UtcTime now);

}  // namespace tributary::connectors::opcua
