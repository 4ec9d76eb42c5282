// A Modbus session: one TCP connection, one request outstanding.
#pragma once

#include <memory>

#include "sdk/connector.hpp"

namespace tributary::connectors::modbus {

std::unique_ptr<sdk::Session> make_session(const sdk::SessionContext& context,
                                           const sdk::Profile& profile);

}  // namespace tributary::connectors::modbus
