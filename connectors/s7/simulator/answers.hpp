// What a simulated CPU answers to one message. Pure, but for the device.
#pragma once

#include "connectors/s7/simulator/server.hpp"

namespace tributary::connectors::s7::simulator {

// One client's connection.
struct Dialogue {
  std::uint16_t pdu_size = 240;
  bool unlocked = false;
};

// Size of the frame in `out`; 0 when the CPU would hang up.
std::size_t answer(const Message& message, Device& device, const ServerOptions& options,
                   Dialogue& dialogue, Out out);

}  // namespace tributary::connectors::s7::simulator
