// The JavaScript of a node, evaluated for all items of a batch in one call before the node gets
// them.
#pragma once

#include "orchestrate/model/plan.hpp"
#include "runtime/event.hpp"

namespace tributary::orchestrate {

struct ScriptWork {
  script::Scripts* scripts;  // null: every value is an error "script_unavailable"
  const Plan& plan;
  const Json& run;  // $run
  UtcTime now;
  const Event& stopping;
};

// Fills Item::scripts. What fails is the error of its item. Returns what the scripts logged, at
// most kMaxLogLines.
Task<std::vector<std::string>> compute_scripts(ScriptWork work, const PlanNode& node, Items& items);

// The pipeline stopped before the item's scripts were evaluated; null when they were.
const Error* stopped_before(const Item& item);

}  // namespace tributary::orchestrate
