// Modbus polling: what a poller costs per register, next to a raw loop over the same frames.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/measure.hpp"

namespace tributary::bench {

// What is polled: `devices` TCP connections, each reading `registers` holding registers a scan, 125
// a request.
struct Load {
  int devices = 1;
  int registers = 1000;
  double seconds = 5;
};

struct Figures {
  double registers = 0;    // read in all
  double seconds = 0;      // wall clock
  double cpu_seconds = 0;  // user and system, of the poller's process alone
};

// A device that answers FC 3 with canned registers, in a process of its own; ends with its parent.
class Device {
 public:
  Device();
  ~Device();
  std::uint16_t port() const { return port_; }

 private:
  int pid_ = 0;
  std::uint16_t port_ = 0;
};

// Sends and receives the frames with epoll and looks at nothing but their length: the price of the
// sockets.
Figures poll_raw(std::uint16_t port, const Load& load);
// The Modbus connector's session: codec, plan, typed samples with quality. As fast as the device
// answers.
Figures poll_sessions(std::uint16_t port, const Load& load);
// The whole hub: actors, scan grid of 10 ms, last values, one watcher a function.
Figures poll_hub(std::uint16_t port, const Load& load);

}  // namespace tributary::bench
