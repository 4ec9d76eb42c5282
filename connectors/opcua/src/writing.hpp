// Writing nodes: the server says which type it wants, and the values become exactly that.
#pragma once

#include "connectors/opcua/src/state.hpp"

namespace tributary::connectors::opcua {

// `operation` and `parameters` outlive the call. Nothing is written when one value does not fit.
// The samples are what was written; a refused one is bad, with its error. Errors, kFunction: those
// of to_variant with the pointer of the value, "missing_value"; connection classes with
// outcome_unknown.
Task<Result<Batch>> write_nodes(Shared state, const WriteOperation& operation,
                                const Json& parameters, SteadyTime deadline);

}  // namespace tributary::connectors::opcua
