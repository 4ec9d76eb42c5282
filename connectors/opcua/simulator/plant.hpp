// The simulated bottling plant as an OPC UA server: signed and encrypted, and without security for
// a first try.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "connectors/opcua/simulator/server.hpp"

namespace tributary::connectors::opcua::simulator {

inline constexpr const char* kPlantNamespace = "http://tributary.example/plant";

// What the filler shows: nodes "Filler.Speed" and so on of kPlantNamespace.
struct PlantValues {
  double speed = 0;  // bottles/min
  std::uint32_t bottles = 0;
  std::uint32_t rejects = 0;
  std::int32_t state = 0;  // 0 stopped, 1 starting, 2 running, 3 stopping, 4 fault
  double temperature = 0;  // °C
  double tank_level = 0;   // %
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
  void show(const PlantValues& values);
  // What somebody wrote to Filler.SpeedSetpoint since the last look.
  std::optional<std::uint16_t> take_setpoint();

 private:
  PlantServer() = default;
  void add_nodes(UA_Server* server);

  std::unique_ptr<Server> server_;
  std::string fingerprint_;
  std::uint16_t index_ = 0;
  std::uint16_t setpoint_ = 0;
};

}  // namespace tributary::connectors::opcua::simulator
