// A Modbus TCP server: any number of clients, one executor, no threads. For the simulated plant,
// tests and benchmarks.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/error.hpp"
#include "connectors/modbus/src/codec.hpp"
#include "runtime/task.hpp"

namespace tributary::connectors::modbus::simulator {

// What a server serves. Called on the server's executor.
class Device {
 public:
  virtual ~Device() = default;
  // Fills `out`, which has the size of the answer: registers big-endian, or packed bits (zeroed
  // before).
  virtual std::optional<ExceptionCode> read(std::uint8_t unit, const Request& request,
                                            std::span<std::byte> out) = 0;
  virtual std::optional<ExceptionCode> write(std::uint8_t unit, const Request& request) = 0;
};

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
  std::shared_ptr<State> state_;
};

}  // namespace tributary::connectors::modbus::simulator
