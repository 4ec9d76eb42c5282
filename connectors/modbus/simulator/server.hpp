// A Modbus TCP server: any number of clients, one executor, no threads. For the simulated plant,
// tests and benchmarks.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/error.hpp"
#include "connectors/modbus/simulator/responder.hpp"
#include "runtime/task.hpp"

namespace tributary::connectors::modbus::simulator {

class ModbusServer {
 public:
  // `device` must outlive the server.
  ModbusServer(Executor executor, Device& device);
  // stop()s. On the executor's thread, or when nothing runs it any more.
  ~ModbusServer();
  ModbusServer(const ModbusServer&) = delete;
  ModbusServer& operator=(const ModbusServer&) = delete;

  // Listens at `host` (an address) and gives the port, which matters when 0 was asked for. Error:
  // kConfiguration "cannot_listen" with pointer "/host" or "/port".
  Result<std::uint16_t> start(const std::string& host, std::uint16_t port);
  // Closes the listener and all clients. Idempotent.
  void stop();
  std::size_t clients() const;
  std::uint64_t requests() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tributary::connectors::modbus::simulator
