// How long to wait. Pure arithmetic over a policy, a step and one random number.
#pragma once

#include <cstdint>
#include <optional>

#include "base/error.hpp"
#include "connect/lifecycle/policy.hpp"

namespace tributary::connect::lifecycle {

// Equal jitter: B/2 plus a random part of B/2, with B = initial × multiplier^step, at most
// max_delay. Never zero. The class's floor (10 s after Name and Busy, the peer's own retry-after,
// 60 s after Identity) is never undercut; above it up to a quarter is added so that many clients do
// not come back at the same instant.
Duration backoff_delay(const ReconnectPolicy& policy, int step, const Error& error,
                       std::uint64_t random);

// The longest that backoff_delay() can answer.
Duration longest_backoff(const ReconnectPolicy& policy, const Error& error);

// cooldown × 2^openings ± 20 %, at most max_cooldown; Trust: ten minutes; Takeover: max_cooldown.
// nullopt: this cause waits for a person (Identity, Configuration, or automatic reset is off).
std::optional<Duration> cooldown_delay(const ReconnectPolicy& policy, int openings,
                                       const Error& error, std::uint64_t random);

// 0 ≤ result < 1.
double unit_interval(std::uint64_t random);

}  // namespace tributary::connect::lifecycle
