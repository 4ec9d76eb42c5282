// A Modbus session: one TCP connection, one request outstanding.
#pragma once

#include <memory>

#include "sdk/connector.hpp"

namespace tributary::connectors::modbus {

// `settings` are a connection's, validated and with defaults.
std::unique_ptr<sdk::Session> make_session(const sdk::SessionContext& context,
                                           const Json& settings);

}  // namespace tributary::connectors::modbus
