// The connectors that this binary holds; the definition is generated from the folders below
// connectors/.
#pragma once

#include "base/error.hpp"
#include "sdk/registry.hpp"

namespace tributary::app {

// Error: kInternal "invalid_connector".
Result<void> add_connectors(sdk::Registry& registry);

}  // namespace tributary::app
