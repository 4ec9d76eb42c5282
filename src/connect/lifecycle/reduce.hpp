// The lifecycle as a pure function: no clock, no chance, no socket, no store. What the actor lives
// by and what the simulation explores. Transition numbers (T1 …) are those of docs/lifecycle.md.
#pragma once

#include "connect/lifecycle/effect.hpp"
#include "connect/lifecycle/policy.hpp"

namespace tributary::connect::lifecycle {

struct Inputs {
  SteadyTime now;
  UtcTime utc;
  std::uint64_t random = 0;
};

// What becomes of a connection when `event` happens. Events of another epoch than the state's
// change nothing but the counter of stale events (T25).
Step reduce(const LifecycleState& state, const Event& event, const Policy& policy, Inputs inputs);

// Whether history may hold this row. `from` absent: a connection's first row.
bool is_legal(std::optional<Status> from, Status to);

// Begins the note of a planned interruption: not counted as a failure.
inline constexpr std::string_view kMaintenanceNote = "maintenance";

}  // namespace tributary::connect::lifecycle
