// Walking through a server's address space.
#pragma once

#include "connectors/opcua/src/state.hpp"

namespace tributary::connectors::opcua {

// As sdk::Browser. Cursors belong to the session.
Task<Result<sdk::BrowsePage>> browse_page(Shared state, std::string node, std::string cursor,
                                          SteadyTime deadline);
// Records {nodeId, name, browseName, nodeClass, parent, level, dataType?, access?}, level by level.
// `operation` outlives the call.
Task<Result<Batch>> browse_nodes(Shared state, const BrowseOperation& operation,
                                 SteadyTime deadline);

}  // namespace tributary::connectors::opcua
