// The session with a server: opening it in stages, its health, its end.
#pragma once

#include "connectors/opcua/src/state.hpp"

namespace tributary::connectors::opcua {

// As Connector::make_session.
Result<std::unique_ptr<sdk::Session>> make_session(const sdk::SessionContext& context,
                                                   const sdk::Profile& profile);

}  // namespace tributary::connectors::opcua
