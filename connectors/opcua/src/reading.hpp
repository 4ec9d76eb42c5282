// Reading nodes and their attributes.
#pragma once

#include <vector>

#include "connectors/opcua/src/state.hpp"

namespace tributary::connectors::opcua {

struct Wanted {
  UA_NodeId id;  // borrowed
  std::uint32_t attribute;
};
// One answer for each, in their order; split by what the server allows.
Task<Result<std::vector<Owned<UA_DataValue>>>> read_attributes(Shared state,
                                                               std::vector<Wanted> wanted,
                                                               double max_age_ms,
                                                               SteadyTime deadline);
// `operation` outlives the call.
Task<Result<Batch>> read_nodes(Shared state, const ReadOperation& operation, SteadyTime deadline);

// Reads the server's namespaces anew.
Task<Result<void>> read_namespaces(Shared state, SteadyTime deadline);

}  // namespace tributary::connectors::opcua
