// The real network, with the name look-up as a seam for tests.
#pragma once

#include "net/resolver.hpp"
#include "net/stream.hpp"

namespace tributary::net {

std::unique_ptr<Network> make_network(Timers& timers, Lookup lookup);

}  // namespace tributary::net
