// Connecting to the first of several addresses that answers (RFC 8305, "Happy Eyeballs", section
// 5).
#pragma once

#include <memory>
#include <vector>

#include "net/stream.hpp"

namespace tributary::net {

// A new attempt starts every 250 ms, or at once when all earlier ones have failed; the first that
// connects wins and the others are reset. Errors: see Network::dial. `cancel` is not null.
Task<Result<std::unique_ptr<Stream>>> dial_addresses(Timers& timers, Endpoint endpoint,
                                                     std::vector<Address> addresses,
                                                     Keepalive keepalive, SteadyTime deadline,
                                                     std::shared_ptr<DialCancel> cancel);

}  // namespace tributary::net
