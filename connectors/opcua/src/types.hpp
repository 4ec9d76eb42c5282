// Which types the nodes of a server want, as the server declares them.
#pragma once

#include <vector>

#include "connectors/opcua/src/state.hpp"

namespace tributary::connectors::opcua {

// Fills State::types for the nodes that are not in it. A node that cannot be
// asked is left out; a type that only its present value tells (BaseDataType,
// Number) has none here.
Task<Result<void>> learn_types(Shared state, std::vector<SharedNodeName> nodes,
                               SteadyTime deadline);
// As learn_types, where values of enumerations are not shown as numbers.
Task<Result<void>> learn_enumerations(Shared state, const std::vector<SharedNodeName>& nodes,
                                      SteadyTime deadline);
// Null when it is none, or nobody has asked.
const Enumeration* enumeration_of(const State& state, const NodeName& node);
// Values of this abstract type of the standard carry their types with them.
bool takes_any(const UA_NodeId& type);
// The types that values of the given types have on the wire, one for each; null
// for those that take any value, and for what cannot be found out.
Task<Result<std::vector<const UA_DataType*>>> wire_types(Shared state,
                                                         std::vector<Owned<UA_NodeId>> types,
                                                         SteadyTime deadline);
// What a rank says (OPC 10000-3, 5.6.2).
void set_rank(TargetType& target, std::int32_t rank);
void set_type(TargetType& target, const DataType& type);

}  // namespace tributary::connectors::opcua
