// The simulated bottling plant as an OPC UA server: signed and encrypted, and without security for
// a first try.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "connectors/opcua/simulator/alarms.hpp"
#include "connectors/opcua/simulator/history.hpp"
#include "connectors/opcua/simulator/server.hpp"

namespace tributary::connectors::opcua::simulator {

inline constexpr const char* kPlantNamespace = "http://tributary.example/plant";

// What the filler shows: nodes "Filler.Speed" and so on of kPlantNamespace.
struct PlantValues {
  double speed = 0;  // bottles/min
  std::uint16_t setpoint = 1500;
  std::uint32_t bottles = 0;
  std::uint32_t rejects = 0;
  std::int32_t state = 0;    // 0 stopped, 1 starting, 2 running, 3 stopping, 4 fault
  double temperature = 0;    // °C
  double tank_level = 0;     // %
  std::uint16_t alarms = 0;  // bits, as kPlantAlarms
};

// What somebody called.
struct PlantCommand {
  enum class What : std::uint8_t { kStart, kStop, kReset, kLoadRecipe };
  What what = What::kStart;
  std::uint16_t recipe = 0;  // 1 to 4
};

class PlantServer {
 public:
  // `folder` keeps the server's certificate. Error: kConfiguration "cannot_listen".
  static Result<std::unique_ptr<PlantServer>> start(const std::string& host, std::uint16_t port,
                                                    const std::string& folder);
  ~PlantServer();

  std::string url() const { return server_->url(); }
  // SHA-256 of the certificate, as the hub shows it.
  const std::string& fingerprint() const { return fingerprint_; }
  // What is now. The history takes one of them a second.
  void show(const PlantValues& values);
  // What was, for the history.
  void record(const PlantValues& values, UtcTime time);
  // The methods Filler.Start, Stop, Reset and LoadRecipe(recipe) that were called since the last
  // look.
  std::vector<PlantCommand> take_commands();
  // What somebody wrote to Filler.SpeedSetpoint since the last look. The plant may refuse it, and
  // show another one.
  std::optional<std::uint16_t> take_setpoint();

 private:
  PlantServer() = default;
  void add_nodes(UA_Server* server);
  void add_methods(UA_Server* server);
  void note(PlantCommand command);
  template <PlantCommand::What what>
  static std::uint32_t command(UA_Server* server, const UA_NodeId* session, void* session_context,
                               const UA_NodeId* method, void* self, const UA_NodeId* object,
                               void* object_context, std::size_t inputs, const UA_Variant* input,
                               std::size_t outputs, UA_Variant* output);

  PlantAlarms alarms_;
  PlantHistory history_;
  UtcTime recorded_{};
  std::mutex mutex_;  // of the commands: they come on the server's thread
  std::vector<PlantCommand> commands_;
  std::string fingerprint_;
  std::uint16_t index_ = 0;
  std::uint16_t setpoint_ = PlantValues{}.setpoint;  // as the node has it
  std::unique_ptr<Server> server_;                   // the last one: what it points to outlives it
};

}  // namespace tributary::connectors::opcua::simulator
