// Which types the nodes of a server want, as the server declares them.
#pragma once

#include <vector>

#include "connectors/opcua/src/state.hpp"

namespace tributary::connectors::opcua {

// Fills State::types for the nodes that are not in it. A node that cannot be asked is left out; a
// type that only its present value tells (BaseDataType, Number) has none here.
Task<Result<void>> learn_types(Shared state, std::vector<SharedNodeName> nodes,
                               SteadyTime deadline);
// By what a value looks like, for a node that takes any.
const UA_DataType& natural_type(const Json& json);

}  // namespace tributary::connectors::opcua
