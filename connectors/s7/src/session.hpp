// A session with a CPU: one TCP connection, one question outstanding.
#pragma once

#include <memory>

#include "sdk/connector.hpp"

namespace tributary::connectors::s7 {

// Error: kConfiguration "too_long" for a password beyond eight characters.
Result<std::unique_ptr<sdk::Session>> make_session(const sdk::SessionContext& context,
                                                   const sdk::Profile& profile);

}  // namespace tributary::connectors::s7
