// Socket options for libraries that make their own sockets: keepalive and user timeout (design §7, edge case 1).
#pragma once

#include "net/stream.hpp"

namespace tributary::net {

// Sets SO_KEEPALIVE, TCP_KEEPIDLE/INTVL/CNT, TCP_USER_TIMEOUT, TCP_NODELAY on a descriptor the caller owns.
Result<void> apply_keepalive(int descriptor, const Keepalive& keepalive);
// After a non-blocking connect became writable: whether it worked. Error: as error_from_errno. A socket that was given the
// very port it dials as its own, and so connected to itself (TCP simultaneous open), counts as refused.
Result<void> check_connected(int descriptor, std::string_view peer);
// errno → Error: class, stable code, sentence with the peer's name.
Error error_from_errno(int error_number, std::string_view action, std::string_view peer);

}  // namespace tributary::net
