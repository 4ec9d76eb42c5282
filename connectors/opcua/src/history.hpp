// What a server has recorded: values as they were, aggregates of them, values at given times
// (OPC 10000-11).
#pragma once

#include "connectors/opcua/src/state.hpp"

namespace tributary::connectors::opcua {

// One record for each value: {"point", "nodeId", "value", "quality", "code"?, "sourceTime",
// "serverTime"}; the last of a node has "more": true when the server has more than was wanted. A
// node that the server refuses has one record with "error". `operation` outlives the call. Errors:
// kFunction when it refuses all of them, with what it said about the first.
Task<Result<Batch>> read_history(Shared state, const HistoryOperation& operation,
                                 SteadyTime deadline);

}  // namespace tributary::connectors::opcua
