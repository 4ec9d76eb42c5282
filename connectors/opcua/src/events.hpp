// Events of a server: what is asked for, and what came as records. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
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

// The types of events of one server, by what it calls them.
class EventTypes {
 public:
  // `id` as texts of node ids are.
  void add(const std::string& id, const std::string& name) { names_.emplace(id, name); }
  // Null: the server has not named it.
  const std::string* name_of(const std::string& id) const;
  // Types of several namespaces may have one name.
  std::vector<std::string> ids_of(std::string_view name) const;

 private:
  std::map<std::string, std::string> names_;  // by id
};

// One type that is wanted: by its node id, or by its name.
struct WantedType {
  SharedNodeName id;  // null: by name
  std::string name;
};

// What one opcua.events function wants.
struct EventSelection {
  EventsSettings settings;  // from which the others follow
  std::vector<EventField> fields;
  std::vector<WantedType> types;
  std::vector<SharedNodeName> sources;
  std::uint16_t min_severity = 1;
  bool conditions = true;
};
// Errors, kFunction with a pointer: "invalid_node_id", "invalid_path".
Result<EventSelection> select_events(const EventsSettings& settings);

// What the server is asked for: the fields that are not in `refused` (by their index, ascending),
// of the events that are wanted. Errors, kFunction: "namespace_unknown", "unknown_event_type".
Result<Owned<UA_EventFilter>> make_filter(const EventSelection& selection, const EventTypes& types,
                                          std::span<const std::size_t> refused,
                                          const Namespaces& namespaces);

// One opcua.events function at work.
struct EventWatch {
  explicit EventWatch(EventSelection selection_) : selection(std::move(selection_)) {}
  const EventSelection selection;
  std::shared_ptr<const EventTypes> types = std::make_shared<const EventTypes>();
  std::vector<std::size_t> refused;  // fields that the server does not know
  bool replaying = false;            // it sends again what is interesting now
  bool refresh = false;              // it must be asked to
};

// One event: {"kind": "event" or "condition", "eventId", "eventType", "eventTypeName"?,
// "sourceNode", "sourceName",
// "time", "receiveTime", "message", "severity", "condition"?, "fields"?, "replayed"?}. What is
// about the subscription itself has the kinds "refreshStart", "refreshEnd" and "overflow", and
// changes `watch`.
Json event_record(std::span<const UA_Variant> values, EventWatch& watch,
                  const ValueContext& context);
// {"kind": "gap" or "refused", "time", "message", "code"?}: what the hub has to say.
Json remark_record(std::string_view kind, std::string_view message, UtcTime now);

}  // namespace tributary::connectors::opcua
