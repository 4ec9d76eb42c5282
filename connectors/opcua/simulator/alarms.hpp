// Alarms and conditions of the simulated plant (OPC 10000-9), as far as open62541 lets a server
// have them: alarm conditions below the filler, their events, Acknowledge, Confirm, AddComment and
// ConditionRefresh. A refresh goes to everybody who watches; there is nothing to shelve or to
// disable. The library as distributions build it has no alarms of its own: it does not know the
// ConditionId of ConditionType, but that of its subtypes.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/opcua/src/ua.hpp"

struct UA_Server;

namespace tributary::connectors::opcua::simulator {

struct AlarmKind {
  std::string_view name;
  std::string_view message;  // while it is active
  std::uint16_t severity = 0;
};
// By their bits in the plant's alarm word.
inline constexpr auto kPlantAlarms = std::to_array<AlarmKind>({
    {"Jam", "A bottle is jammed in the infeed", 600},
    {"EmergencyStop", "The emergency stop is pressed", 1000},
    {"DoorOpen", "A guard door is open", 800},
    {"TankLow", "The product tank is low", 400},
    {"OverTemperature", "The product is too warm", 700},
});

class PlantAlarms {
 public:
  PlantAlarms() = default;
  PlantAlarms(const PlantAlarms&) = delete;
  PlantAlarms& operator=(const PlantAlarms&) = delete;

  // Below the node `source`. Before the server runs; this stays where it is as long as the server.
  void add_nodes(UA_Server* server, std::uint16_t index, const UA_NodeId& source,
                 std::string_view source_name);
  // What is active now, by the bits. Any thread; the server's own looks at it soon.
  void show(std::uint16_t bits) { bits_ = bits; }

 private:
  // A state with a text for people and an Id that is true or false.
  struct TwoState {
    Owned<UA_NodeId> text;
    Owned<UA_NodeId> id;
    std::string_view when_true;
    std::string_view when_false;
  };
  struct Alarm {
    const AlarmKind* kind = nullptr;
    Owned<UA_NodeId> node;
    TwoState active;
    TwoState acknowledged;
    TwoState confirmed;
    Owned<UA_NodeId> comment;
    std::deque<std::string> event_ids;  // since it became active: any of them can be answered
    bool is_active = false;
    bool is_acknowledged = true;
    bool is_confirmed = true;  // not wanted before it is acknowledged
    bool retain() const { return is_active || !is_acknowledged || !is_confirmed; }
  };
  using Answer = UA_StatusCode (PlantAlarms::*)(Alarm&);
  void add_condition(Alarm& alarm, std::uint16_t index, std::string_view source_name);
  void add_methods();
  template <Answer answer>
  void add_method(std::uint32_t id);
  TwoState find_state(const UA_NodeId& condition, std::string_view name, std::string_view when_true,
                      std::string_view when_false);
  void set_state(const TwoState& state, bool is);
  void change(Alarm& alarm);  // says what it is now
  void send(Alarm& alarm);
  void send_refresh(std::uint32_t event_type);
  void look();
  UA_StatusCode acknowledge(Alarm& alarm);
  UA_StatusCode confirm(Alarm& alarm);
  UA_StatusCode add_comment(Alarm& alarm);
  UA_StatusCode refresh(const UA_NodeId& session, const UA_Variant& subscription);

  UA_Server* server_ = nullptr;
  Owned<UA_NodeId> source_;
  std::atomic<std::uint16_t> bits_ = 0;
  std::vector<Alarm> alarms_;  // of the server's thread, once it runs
};

}  // namespace tributary::connectors::opcua::simulator
