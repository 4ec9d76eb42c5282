// MQTT messages: what one costs to receive and to publish, next to a raw loop of libmosquitto.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "bench/measure.hpp"

namespace tributary::bench {

struct Flow {
  bool publishes = false;  // else it subscribes, and a feeder publishes
  int qos = 0;
  std::size_t messages = 0;
  std::size_t payload_bytes = 100;
};

struct Figures {
  double messages = 0;
  double seconds = 0;      // wall clock
  double cpu_seconds = 0;  // user and system, of the client's process alone
};

// A number, as JSON, padded to the size of the flow's payloads.
std::string payload_of(const Flow& flow);
// Starts this program anew as the one who publishes what a subscriber waits for.
void start_feeder(std::uint16_t port, const Flow& flow);

// libmosquitto's own loop, with callbacks that count: no record is made.
Figures run_raw(std::uint16_t port, const Flow& flow);
// The MQTT connector's session: records made and accepted, calls made and confirmed.
Figures run_session(std::uint16_t port, const Flow& flow);

}  // namespace tributary::bench
