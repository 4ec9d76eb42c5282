// The session with a server: opening it in stages, its health, its end.
#pragma once

#include "connectors/opcua/src/state.hpp"

namespace tributary::connectors::opcua {

// As Connector::make_session. Goes on with what a session of the same connection left in
// `keepsakes`.
Result<std::unique_ptr<sdk::Session>> make_session(const sdk::SessionContext& context,
                                                   const sdk::Profile& profile,
                                                   std::shared_ptr<Keepsakes> keepsakes);

}  // namespace tributary::connectors::opcua
