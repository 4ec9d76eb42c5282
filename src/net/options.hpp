// Socket options for libraries that make their own sockets: keepalive and user timeout (design §7, edge case 1).
#pragma once

#include "net/stream.hpp"

namespace tributary::net {

// Sets SO_KEEPALIVE, TCP_KEEPIDLE/INTVL/CNT, TCP_USER_TIMEOUT, TCP_NODELAY on a descriptor the caller owns.
Result<void> apply_keepalive(int descriptor, const Keepalive& keepalive);
// errno → Error: class, stable code, sentence with the peer's name.
Error error_from_errno(int error_number, std::string_view action, std::string_view peer);

}  // namespace tributary::net
