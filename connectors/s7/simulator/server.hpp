// An S7 server: any number of clients, one executor, no threads. For the simulated plant, tests and
// benchmarks.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "connectors/s7/src/calendar.hpp"
#include "connectors/s7/src/codec.hpp"
#include "runtime/task.hpp"

namespace tributary::connectors::s7::simulator {

// Item codes that a device answers with, besides kItemDone.
inline constexpr std::uint8_t kAccessDenied = 0x03;
inline constexpr std::uint8_t kOutOfRange = 0x05;
inline constexpr std::uint8_t kNoSuchObject = 0x0A;

// What a server serves. Called on the server's executor.
class Device {
 public:
  virtual ~Device() = default;
  // Fills `out` with the item's bytes, of a bit 0 or 1. Returns its code.
  virtual std::uint8_t read(const Item& item, std::span<std::byte> out) = 0;
  virtual std::uint8_t write(const Item& item, std::span<const std::byte> data) = 0;
  // Numbers of its data blocks.
  virtual std::vector<std::uint16_t> data_blocks() const = 0;
  // What its clock shows, and whether it can be set to this.
  virtual ClockTime clock() const = 0;
  virtual void set_clock(const ClockTime& time) = 0;
  virtual bool running() const = 0;
  virtual void set_running(bool running) = 0;
};

// Bytes that keep what is written to them: a device in one object, for tests.
class Memory {
 public:
  Memory(Area area, std::uint16_t db, std::size_t size) : area_(area), db_(db), bytes_(size) {}
  bool holds(const Item& item) const { return item.area == area_ && item.db == db_; }
  std::uint8_t read(const Item& item, std::span<std::byte> out) const;
  std::uint8_t write(const Item& item, std::span<const std::byte> data);
  std::span<std::byte> bytes() { return bytes_; }
  std::uint16_t db() const { return db_; }
  Area area() const { return area_; }

 private:
  bool fits(const Item& item) const;
  std::size_t begin_of(const Item& item) const {
    return item.begin * (is_counted(area_) ? 2U : 1U);
  }
  Area area_;
  std::uint16_t db_;
  std::vector<std::byte> bytes_;
};

// Several memories.
class PlainDevice final : public Device {
 public:
  explicit PlainDevice(std::vector<Memory> memories) : memories_(std::move(memories)) {}
  std::uint8_t read(const Item& item, std::span<std::byte> out) override;
  std::uint8_t write(const Item& item, std::span<const std::byte> data) override;
  std::vector<std::uint16_t> data_blocks() const override;
  ClockTime clock() const override { return clock_; }
  void set_clock(const ClockTime& time) override { clock_ = time; }
  bool running() const override { return running_; }
  void set_running(bool running) override { running_ = running; }
  Memory& memory(std::size_t index) { return memories_[index]; }

 private:
  Memory* find(const Item& item);
  std::vector<Memory> memories_;
  ClockTime clock_{kFirstDay, 0};
  bool running_ = true;
};

struct ServerOptions {
  std::uint16_t pdu_size = 240;  // most that is granted
  std::size_t connections = 64;  // beyond it a client is turned away, as by a CPU
  std::string password{};        // when not empty, memory is closed until it was given
  std::string order_number = "6ES7 315-2EH14-0AB0 ";
  std::string module = "CPU 315-2 PN/DP";
  std::string name = "Simulated CPU";
};

class S7Server {
 public:
  // `device` must outlive the server.
  S7Server(Executor executor, Device& device, ServerOptions options = {});
  // stop()s. On the executor's thread, or when nothing runs it any more.
  ~S7Server();
  S7Server(const S7Server&) = delete;
  S7Server& operator=(const S7Server&) = delete;

  // Listens at `host` (an address) and gives the port, which matters when 0 was asked for. Error:
  // kConfiguration "cannot_listen" with pointer "/host" or "/port".
  Result<std::uint16_t> start(const std::string& host, std::uint16_t port);
  // Closes the listener and all clients. Idempotent.
  void stop();
  std::size_t clients() const;
  std::size_t most_clients() const;
  std::uint64_t requests() const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace tributary::connectors::s7::simulator
