// Calls of functions that are tried again.
#pragma once

#include "orchestrate/delivery/send.hpp"
#include "orchestrate/nodes/node.hpp"

namespace tributary::orchestrate {

// The pause before the next attempt, and the longer one after it.
Duration next_pause(NodeRun& run, const Error& error, const RetryPolicy& policy, Duration& delay);

// Calls a function; what fails and may pass is tried again, except a call whose outcome is unknown
// and whose repetition would matter. Errors: of the last attempt; kCancelled "pipeline_stopped"
// when the pipeline stopped meanwhile.
struct RepeatedCall {
  std::string function_id;
  Duration timeout{};
  RetryPolicy retry;
  bool repeat_unknown = false;
};
Task<Result<Batch>> call_again(NodeRun& run, RepeatedCall call, Json arguments);

}  // namespace tributary::orchestrate
