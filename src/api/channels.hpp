// The two kinds of listening clients.
#pragma once

#include <memory>
#include <string>

#include "api/event_channel.hpp"
#include "api/http.hpp"
#include "api/transport.hpp"

namespace tributary::api {

// Answers the upgrade (with `headers` besides its own) and gives the open WebSocket; null when the
// handshake failed. `already_read` came behind the request. Pings keep it alive; a silent client is
// dropped after 20 s.
Task<std::shared_ptr<EventChannel>> accept_websocket(std::shared_ptr<Transport> transport,
                                                     const Request& request, const Pairs& headers,
                                                     std::string already_read,
                                                     std::size_t message_bytes);

// Server-sent events behind an answer's head that was already written, in HTTP chunks.
std::shared_ptr<EventChannel> make_event_source(std::shared_ptr<Transport> transport);

}  // namespace tributary::api
