// Where a simulation takes hold of the product: what is behind these is replaced to show that a
// wrong lifecycle would be found. The product itself uses the defaults.
#pragma once

#include <functional>
#include <memory>

#include "connect/history_log.hpp"
#include "connect/lifecycle/reduce.hpp"

namespace tributary::connect {

using ReduceFunction = std::function<lifecycle::Step(
    const lifecycle::LifecycleState& state, const lifecycle::Event& event,
    const lifecycle::Policy& policy, lifecycle::Inputs inputs)>;

struct Seams {
  ReduceFunction reduce = &lifecycle::reduce;
  // Puts something between the actors and the store's log; absent: nothing.
  std::function<std::unique_ptr<HistoryLog>(std::unique_ptr<HistoryLog> log)> wrap_log;
};

}  // namespace tributary::connect
