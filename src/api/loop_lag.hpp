// How long the event loops take to come to something new.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/runtime.hpp"

namespace tributary::api {

struct LoopLag {
  std::string name;             // "control", "worker-0"
  std::optional<Duration> lag;  // absent: it did not come to it within the limit
};

// Asks every loop at once and waits for all of them, or until the limit. On the control executor.
Task<std::vector<LoopLag>> measure_loop_lag(Runtime& runtime, Duration limit);

}  // namespace tributary::api
