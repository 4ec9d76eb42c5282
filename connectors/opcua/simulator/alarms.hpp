// Alarms and conditions of the simulated plant (OPC 10000-9), as far as open62541 lets a server have
// them: alarm conditions below the filler, their events, Acknowledge and ConditionRefresh. A
// refresh goes to everybody who watches; there is nothing to confirm, to shelve or to disable; and
// the library does not say the ids of conditions in their events ("Filler.Jam" and so on).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
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
  struct Alarm {
    const AlarmKind* kind = nullptr;
    Owned<UA_NodeId> node;
    Owned<UA_NodeId> active;  // its ActiveState/Id, and so on
    Owned<UA_NodeId> acknowledged;
    Owned<UA_NodeId> comment;
    std::string event_id;  // of its newest event
    bool is_active = false;
    bool is_acknowledged = true;
    bool retain() const { return is_active || !is_acknowledged; }
  };
  void add_condition(Alarm& alarm, std::uint16_t index, std::string_view source_name);
  void tell(Alarm& alarm, std::string_view message);
  void tell_refresh(std::uint32_t event_type);
  void look();
  UA_StatusCode acknowledge(Alarm& alarm, const UA_Variant* arguments);
  void refresh();

  UA_Server* server_ = nullptr;
  Owned<UA_NodeId> source_;
  std::atomic<std::uint16_t> bits_ = 0;
  std::vector<Alarm> alarms_;  // of the server's thread, once it runs
};

}  // namespace tributary::connectors::opcua::simulator
