// The client id of a connection that has none of its own.
#pragma once

#include <string>
#include <string_view>

namespace tributary::connectors::mqtt {

// Steady, because brokers know the client and its kept session by it, and unique among hubs too:
// "trib-", a part of the hub's id, a part of the connection's, and six characters that depend on
// both as a whole (edge case 9). 23 characters at most: what every MQTT version allows.
std::string default_client_id(std::string_view node_id, std::string_view connection_id);

}  // namespace tributary::connectors::mqtt
