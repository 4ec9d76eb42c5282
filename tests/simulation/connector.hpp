// The connector of the simulated peers: small, but through the real contract of src/sdk.
#pragma once

#include "sdk/registry.hpp"

namespace tributary::simulation {

// Type "simulated", functions "simulated.read", ".write", ".poll" and ".listen".
Result<void> add_simulated(sdk::Registry& registry);

}  // namespace tributary::simulation
