// Datagrams to one peer, as a Stream: a write is a datagram, a read gives one.
#pragma once

#include <memory>

#include "net/stream.hpp"

namespace tributary::net {

// A socket that hears this peer only. What is longer than a read's buffer is cut off, so give it
// room for the longest datagram of the protocol. A peer that is known not to listen (ICMP) is
// kTransient "connection_refused" of a later read or write. Errors: kTransient "unreachable",
// kInternal "out_of_descriptors".
Result<std::unique_ptr<Stream>> connect_udp(const Address& address, Executor executor,
                                            Timers& timers);

}  // namespace tributary::net
