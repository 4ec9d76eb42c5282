// Which pipelines depend on which functions: what is hit when a connection stops.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrate/engine.hpp"

namespace tributary::orchestrate {

struct PipelineUse {
  std::string id;
  std::string name;
  // What the pipeline loses first: "trigger" (it gets no data), "destination" (it cannot deliver),
  // "read" or "command".
  std::string_view uses;
  std::vector<std::string> function_ids;
};

// The enabled ones among `pipelines` that use any of these functions, in their order.
std::vector<PipelineUse> pipelines_using(const std::vector<PipelineView>& pipelines,
                                         const std::map<std::string, sdk::FunctionKind>& functions);

}  // namespace tributary::orchestrate
