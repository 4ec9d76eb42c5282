// One session: a channel to the server, proven by a request. No connection stands open between
// requests but those that are kept to be used again.
#pragma once

#include <memory>

#include "sdk/connector.hpp"

namespace tributary::connectors::rest {

// As Connector::make_session.
Result<std::unique_ptr<sdk::Session>> make_session(const sdk::SessionContext& context,
                                                   const sdk::Profile& profile);

}  // namespace tributary::connectors::rest
