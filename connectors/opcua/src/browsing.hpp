// Walking through a server's address space.
#pragma once

#include <span>

#include "connectors/opcua/src/state.hpp"

namespace tributary::connectors::opcua {

// Asks each of the nodes for its references of exactly this type (of the standard), with the browse
// names of what they lead to.
Owned<UA_BrowseRequest> references_of(std::span<const Owned<UA_NodeId>> nodes,
                                      UA_BrowseDirection direction, UA_UInt32 reference);

// As sdk::Browser. Cursors belong to the session.
Task<Result<sdk::BrowsePage>> browse_page(Shared state, std::string node, std::string cursor,
                                          SteadyTime deadline);
// Records {nodeId, name, browseName, nodeClass, parent, level, dataType?, access?}, level by level.
// `operation` outlives the call.
Task<Result<Batch>> browse_nodes(Shared state, const BrowseOperation& operation,
                                 SteadyTime deadline);

}  // namespace tributary::connectors::opcua
