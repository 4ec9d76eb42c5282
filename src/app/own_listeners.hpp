// Where this hub can be reached: addresses that it must not send requests to by itself.
#pragma once

#include <string>
#include <vector>

#include "net/stream.hpp"

namespace tributary::app {

// The listener's address; when it listens on every address of the machine ("0.0.0.0", "::"), all
// of them as they are at this moment.
std::vector<net::Address> own_listeners(const std::string& address, std::uint16_t port);

}  // namespace tributary::app
