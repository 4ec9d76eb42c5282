// The shape of a pipeline's document: what can be said about it without looking at node types.
#pragma once

#include "schema/schema.hpp"

namespace tributary::orchestrate {

// Compiled with every check: pipelines are saved by people, not by machines.
schema::Schema body_schema();

}  // namespace tributary::orchestrate
