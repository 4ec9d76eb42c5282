// What a server says about its data types (OPC 10000-3, 8.47 to 8.52), into State::catalog.
#pragma once

#include <vector>

#include "connectors/opcua/src/state.hpp"

namespace tributary::connectors::opcua {

// Structures within each other are found one layer for each round of questions.
inline constexpr int kMostRounds = 16;

// One for each id; without a wire type for what takes any value, and for what cannot be found out.
Task<Result<std::vector<DataType>>> learn_data_types(Shared state,
                                                     std::vector<Owned<UA_NodeId>> types,
                                                     SteadyTime deadline);
// Asks for the structures that values were made of and that nobody knew. Whoever converts values
// does it again afterwards; what the server does not describe is asked for once.
Task<Result<void>> learn_missed(Shared state, SteadyTime deadline);

}  // namespace tributary::connectors::opcua
