// Calling methods: the server says which arguments it wants.
#pragma once

#include "connectors/opcua/src/state.hpp"

namespace tributary::connectors::opcua {

// One record with the outputs by their names. `operation` and `parameters`
// outlive the call. Errors, kFunction: "missing_argument", "unknown_argument",
// those of to_variant with the pointer of the argument, and what the method
// says; connection classes with outcome_unknown.
Task<Result<Batch>> call_method(Shared state, const CallOperation& operation,
                                const Json& parameters, SteadyTime deadline);

}  // namespace tributary::connectors::opcua
